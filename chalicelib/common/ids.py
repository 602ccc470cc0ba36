"""Identifiers that sort by the time they were made."""

import hashlib
import re
import secrets
import threading
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class IdGenerator:
    """UUIDv7s (RFC 9562, 5.7) of one process: those of one millisecond are in order (6.2, 2).

    48 bits of milliseconds, then 74 that are random for the first of a millisecond and grow by a
    random step for those that follow.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self, now: float) -> str:
        """The next id of `now`, in epoch seconds."""
        at = int(now * 1000)
        with self._lock:
            before, bits = self._last
            # Half of the range is left for what follows: it would take 2^41 steps to use it up.
            bits = bits + 1 + secrets.randbits(32) if at == before else secrets.randbits(73)
            self._last = (at, bits)
        return _uuid7(now, bits >> 62 << 64 | bits & (2**62 - 1))


_SERIES = IdGenerator()


def new_id(now: float) -> str:
    """A new UUIDv7 of `now`, in epoch seconds; see Series."""
    return _SERIES.next(now)


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
