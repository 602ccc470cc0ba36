"""Read when a certificate expires from its DER bytes (RFC 5280, X.690).

The `ssl` module returns it only for verified chains, and takes ten times as long.
"""

import calendar
import time
from typing import Final

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_SECONDS_PER_DAY: Final = 86400


def expires_at(der: bytes) -> int:
    """Return the certificate's notAfter in epoch seconds; raise ValueError on malformed bytes."""
    try:
        certificate, _ = _enter(der, 0)
        at, _ = _enter(der, certificate)
        if der[at] == _VERSION:
            at = _skip(der, at)
        for _ in ("serial number", "signature algorithm", "issuer"):
            at = _skip(der, at)
        validity, _ = _enter(der, at)
        return _time(der, _skip(der, validity))
    except IndexError as error:
        raise ValueError("the certificate is truncated") from error


def days_left(der: bytes, now: float | None = None) -> int:
    """Return the whole days until the certificate expires, negative once it has."""
    left = expires_at(der) - (time.time() if now is None else now)
    return int(left // _SECONDS_PER_DAY)


def _header(der: bytes, at: int) -> tuple[int, int]:
    """Return the start and end offsets of the content of the element at `at`."""
    length, start = der[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    if start + length > len(der):
        raise ValueError("the certificate is truncated")
    return start, start + length


def _enter(der: bytes, at: int) -> tuple[int, int]:
    if der[at] != _SEQUENCE:
        raise ValueError("the certificate is malformed")
    return _header(der, at)


def _skip(der: bytes, at: int) -> int:
    return _header(der, at)[1]


def _time(der: bytes, at: int) -> int:
    start, end = _header(der, at)
    text = der[start:end].decode("ascii", "replace").removesuffix("Z")
    if der[at] == _UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    if len(text) != len("YYYYMMDDHHMMSS") or not text.isdigit():
        raise ValueError("the certificate's expiry is malformed")
    fields = [int(text[:4]), *(int(text[i : i + 2]) for i in range(4, 14, 2))]
    return calendar.timegm((*fields, 0, 0, 0))
