"""Identifiers that sort by the time they were made."""

import hashlib
import re
import secrets
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_id(now: float) -> str:
    """A UUIDv7 (RFC 9562, 5.7) of `now`, in epoch seconds: 48 bits of milliseconds, 74 random."""
    return _uuid7(now, secrets.randbits(80))


def derived_id(at: int, *parts: str) -> str:
    """The one UUIDv7 of `parts` at `at`, in epoch seconds: a hash stands for the random bits.

    What is made again after a crash gets the same id, without asking what was made before.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return _uuid7(at, int.from_bytes(digest[:10]))


def id_time(identifier: str) -> int:
    """The time in an id, in whole epoch seconds."""
    return (UUID(identifier).int >> 80) // 1000


def _uuid7(now: float, tail: int) -> str:
    value = (int(now * 1000) & (2**48 - 1)) << 80 | tail
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """Whether `text` is a UUIDv7 in its one canonical spelling."""
    return _UUID.fullmatch(text) is not None
