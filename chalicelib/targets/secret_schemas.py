"""Validation of what may hold secrets: header values, a URL's userinfo, a text to send."""

import json
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib.targets.expectation_schemas import header_name

# As stored: the secrets of a lane, fifty targets, must fit into one item of 400 KB.
_SECRET_BYTES = 4096
_URL_LENGTH = 2048
_USERINFO_LENGTH = 512
MAX_URL_LENGTH = _URL_LENGTH + _USERINFO_LENGTH + 1
_USERINFO = re.compile(rf"[A-Za-z0-9._~!$&'()*+,;=:%-]{{1,{_USERINFO_LENGTH}}}")
_RESERVED_HEADERS = {
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "expect",
}


def _header_value(value: str) -> str:
    if any((ord(char) < 0x20 and char != "\t") or ord(char) == 0x7F for char in value):
        raise ValueError("a header value must not contain control characters")
    if any(ord(char) > 0xFF for char in value):
        raise ValueError("a header value must be Latin-1 text")
    if value != value.strip(" \t"):
        raise ValueError("a header value must not start or end with whitespace")
    return value


def _sendable(text: str) -> str:
    if len(json.dumps(text)) > _SECRET_BYTES:
        raise ValueError(f"must not exceed {_SECRET_BYTES} bytes as ASCII JSON")
    return text


Sent = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_sendable)]
HeaderName = Annotated[str, AfterValidator(header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Validate that the headers can be sent and stored together; raises ValueError."""
    names = [name.lower() for name in headers]
    if len(set(names)) != len(names):
        raise ValueError("header names must be unique, regardless of case")
    if reserved := sorted(set(names) & _RESERVED_HEADERS):
        raise ValueError(f"{reserved[0]} must not be set; the check sets it itself")
    if len(json.dumps(headers)) > _SECRET_BYTES:
        raise ValueError(f"headers must not exceed {_SECRET_BYTES} bytes as ASCII JSON")
    return headers


def check_url(url: str) -> str:
    """Validate the userinfo, which the guard never sees, and the length; raises ValueError."""
    if _authority(url).count("@") > 1:
        raise ValueError("must not have more than one '@' before the host")
    if len(without_userinfo(url)) > _URL_LENGTH:
        raise ValueError(f"must not be longer than {_URL_LENGTH} characters")
    userinfo = userinfo_of(url)
    if userinfo is not None and not _USERINFO.fullmatch(userinfo):
        raise ValueError(
            "the part before '@' must be user:password of at most"
            f" {_USERINFO_LENGTH} characters; percent-encode other than ASCII characters"
        )
    return url


def without_userinfo(url: str) -> str:
    """Return the URL without `user:password@`."""
    userinfo = userinfo_of(url)
    return url if userinfo is None else url.replace(f"{userinfo}@", "", 1)


def _authority(url: str) -> str:
    rest = url.partition("//")[2]
    return re.split(r"[/?#\\]", rest, maxsplit=1)[0]


def userinfo_of(url: str) -> str | None:
    userinfo, at, _ = _authority(url).rpartition("@")
    return userinfo if at else None


def with_userinfo(url: str, userinfo: str) -> str:
    scheme, slashes, rest = url.partition("//")
    return f"{scheme}{slashes}{userinfo}@{rest}"
