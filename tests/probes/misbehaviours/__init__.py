"""The ways in which an HTTP server misbehaves, one line each, and what a check says of it.

To add one, put a line into the list that fits: a name, what the server does, and the reason of the
check, None where the target is UP. `says` must be part of the error text.
"""

from typing import Final

from tests.probes.misbehaviours.bytes import NO_HTTP, ODD_BYTES
from tests.probes.misbehaviours.case import Case
from tests.probes.misbehaviours.connections import SILENCE_AND_RESETS, TRICKLES_AND_FLOODS
from tests.probes.misbehaviours.framing import FRAMING
from tests.probes.misbehaviours.heavy import BOMBS, HEADS, JSON_LIMITER, TEXTS
from tests.probes.misbehaviours.redirects import REDIRECTS

CASES: Final = [
    *SILENCE_AND_RESETS,
    *TRICKLES_AND_FLOODS,
    *FRAMING,
    *NO_HTTP,
    *ODD_BYTES,
    *REDIRECTS,
    *BOMBS,
    *JSON_LIMITER,
    *TEXTS,
    *HEADS,
]

__all__ = ["CASES", "Case"]
