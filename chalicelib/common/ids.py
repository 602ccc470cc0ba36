"""Identifiers that sort by creation time."""

import hashlib
import re
import secrets
import threading
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class IdGenerator:
    """Generates UUIDv7s (RFC 9562, 5.7) that are ordered within a millisecond (6.2, method 2).

    48 bits of milliseconds are followed by 74 bits that are random for the first id of a
    millisecond and increase by a random step for each further one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self, now: float) -> str:
        """Generate the next id for `now` in epoch seconds."""
        at = int(now * 1000)
        with self._lock:
            before, bits = self._last
            # Start in the lower half of the range: 2^41 steps would be needed to overflow it.
            bits = bits + 1 + secrets.randbits(32) if at == before else secrets.randbits(73)
            self._last = (at, bits)
        return _uuid7(now, bits >> 62 << 64 | bits & (2**62 - 1))


_GENERATOR = IdGenerator()


def new_id(now: float) -> str:
    """Generate a UUIDv7 for `now` in epoch seconds."""
    return _GENERATOR.next(now)


def derived_id(at: int, *parts: str) -> str:
    """Derive a UUIDv7 from `at`, in epoch seconds, and a hash of `parts` as its random bits.

    A step that is repeated after a crash thus creates its item under the same id again, without
    having to look for it.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return _uuid7(at, int.from_bytes(digest[:10]))


def id_time(identifier: str) -> int:
    """The creation time of an id in whole epoch seconds."""
    return (UUID(identifier).int >> 80) // 1000


def _uuid7(now: float, tail: int) -> str:
    value = (int(now * 1000) & (2**48 - 1)) << 80 | tail
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """Whether `text` is a UUIDv7 in canonical form."""
    return _UUID.fullmatch(text) is not None
