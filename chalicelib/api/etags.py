"""ETag and If-Match: nobody overwrites what they have not seen."""

from typing import Any

from chalicelib.api.request import Call
from chalicelib.common.errors import PreconditionError


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def check_if_match(call: Call[Any, Any], version: int) -> None:
    """Raise PreconditionError where If-Match is given and names another version."""
    given = call.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    if etag(version) not in [tag.strip() for tag in given.split(",")]:
        raise PreconditionError("it is not at the version that If-Match names")
