"""ETag and If-Match: PATCH and DELETE that do not overwrite a change the client has not seen."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from chalicelib.api.parsing import validate_body
from chalicelib.api.request import Call
from chalicelib.common.errors import Fault, InvalidError, PreconditionError

_Schema = TypeVar("_Schema", bound=BaseModel)


class Versioned(Protocol):
    """A resource whose version grows with every change."""

    @property
    def version(self) -> int: ...


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def check_if_match(call: Call[Any, Any], version: int) -> None:
    """Raise PreconditionError if the call has an If-Match header without this version's ETag."""
    header = call.headers.get("if-match")
    if header is None or header.strip() == "*":
        return
    if etag(version) not in [tag.strip() for tag in header.split(",")]:
        raise PreconditionError("the resource's current version is not one that If-Match names")


def version_check(call: Call[Any, Any]) -> Callable[[Versioned], None]:
    """Return `check_if_match` for this call as a function of the resource, for a DELETE."""
    return lambda resource: check_if_match(call, resource.version)


def apply_patch(
    call: Call[Any, Any], version: int, current: Mapping[str, Any], schema: type[_Schema]
) -> _Schema:
    """Merge the PATCH body into `current`, the resource's fields, and validate the result.

    Fields are replaced as a whole; null restores the default. Raises PreconditionError if If-Match
    names another version, and InvalidError for a changed `kind` or a result that does not fit.
    """
    check_if_match(call, version)
    merged = {**current, **call.body.root}
    if "kind" in current and merged["kind"] != current["kind"]:
        fault = Fault(("body", "kind"), "`kind` cannot be changed; create a new resource instead")
        raise InvalidError("the body does not fit the schema", (fault,))
    return validate_body(
        schema, {name: value for name, value in merged.items() if value is not None}
    )
