"""The parts of a target that may hold secrets: header values, a URL's userinfo, a text to send."""

import json
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib.targets.expectation_schemas import header_name

# As they are stored: the secrets of fifty targets fit into one item of 400 KB.
_SECRET_BYTES = 4096
_URL_LENGTH = 2048
_USERINFO_LENGTH = 512
MOST_URL = _URL_LENGTH + _USERINFO_LENGTH + 1
_USERINFO = re.compile(rf"[A-Za-z0-9._~!$&'()*+,;=:%-]{{1,{_USERINFO_LENGTH}}}")
_OURS = {"connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"}


def _header_value(value: str) -> str:
    if any((ord(char) < 0x20 and char != "\t") or ord(char) == 0x7F for char in value):
        raise ValueError("a header's value must not have control characters")
    if any(ord(char) > 0xFF for char in value):
        raise ValueError("a header's value must be Latin-1 text")
    if value != value.strip(" \t"):
        raise ValueError("a header's value must not begin or end with a space")
    return value


def _sendable(text: str) -> str:
    if len(json.dumps(text)) > _SECRET_BYTES:
        raise ValueError(f"must not take more than {_SECRET_BYTES} bytes as ASCII JSON")
    return text


Sent = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_sendable)]
HeaderName = Annotated[str, AfterValidator(header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers that can be sent and stored together; raises ValueError."""
    names = [name.lower() for name in headers]
    if len(set(names)) != len(names):
        raise ValueError("a header is named twice")
    if ours := sorted(set(names) & _OURS):
        raise ValueError(f"{ours[0]} is set by the check itself")
    if len(json.dumps(headers)) > _SECRET_BYTES:
        raise ValueError(f"headers take more than {_SECRET_BYTES} bytes as ASCII JSON")
    return headers


def check_url(url: str) -> str:
    """A URL whose userinfo, which the guard never sees, can be told apart; raises ValueError."""
    if _authority(url).count("@") > 1:
        raise ValueError("the URL has more than one '@' before its host")
    if len(without_userinfo(url)) > _URL_LENGTH:
        raise ValueError(f"must not be longer than {_URL_LENGTH} characters")
    userinfo = userinfo_of(url)
    if userinfo is not None and not _USERINFO.fullmatch(userinfo):
        raise ValueError(
            "what stands before '@' must be user:password in ASCII, percent-encoded where it is"
            f" not, of at most {_USERINFO_LENGTH} characters"
        )
    return url


def without_userinfo(url: str) -> str:
    """The URL without `user:password@`."""
    userinfo = userinfo_of(url)
    return url if userinfo is None else url.replace(f"{userinfo}@", "", 1)


def _authority(url: str) -> str:
    rest = url.partition("//")[2]
    ends: Sequence[int] = [at for at in map(rest.find, "/?#\\") if at >= 0]
    return rest[: min(ends, default=len(rest))]


def userinfo_of(url: str) -> str | None:
    userinfo, at, _ = _authority(url).rpartition("@")
    return userinfo if at else None


def with_userinfo(url: str, userinfo: str) -> str:
    scheme, slashes, rest = url.partition("//")
    return f"{scheme}{slashes}{userinfo}@{rest}"
