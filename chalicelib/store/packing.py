"""Results as bytes: 16 for each target, so that a lane's fifty fit into one write unit of 1 KB.

- format   1 byte, 1

then for each result, big-endian:

- place    1 byte
- outcome  1 byte: verdict (2 bits), reason (5 bits, 0 for none), confirmed by a second try (1)
- status   2 bytes, 0 for none
- timings  5 times 2 bytes: dns, connect, tls, first byte, body, in ms, at most 65,535
- tls days 2 bytes, signed, -32,768 for unknown
"""

from collections.abc import Mapping
from struct import Struct

from chalicelib.domain.results import CheckResult, Reason, Timings, Verdict

_FORMAT = 1
_RESULT = Struct(">BBH5Hh")
_NO_DAYS = -32_768
_MOST = 65_535
_VERDICTS = list(Verdict)
_REASONS = [None, *Reason]


class UnreadableResultsError(Exception):
    """Stored results of a format that this code does not know."""


def pack(results: Mapping[int, CheckResult]) -> bytes:
    """`{place: result}` as bytes, without the error texts."""
    return bytes([_FORMAT]) + b"".join(
        _pack_one(place, result) for place, result in sorted(results.items())
    )


def unpack(data: bytes, errors: Mapping[str, str]) -> dict[int, CheckResult]:
    """What `pack` packed, with the texts of `errors` by place; raises UnreadableResultsError."""
    if data[:1] != bytes([_FORMAT]):
        raise UnreadableResultsError(f"results of format {data[:1].hex()}")
    return dict(_unpack_one(fields, errors) for fields in _RESULT.iter_unpack(data[1:]))


def _pack_one(place: int, result: CheckResult) -> bytes:
    timings = result.timings
    outcome = _VERDICTS.index(result.verdict) << 6 | _REASONS.index(result.reason) << 1
    days = result.tls_days_left
    return _RESULT.pack(
        place,
        outcome | (result.attempts > 1),
        result.status_code or 0,
        *(
            min(max(phase, 0), _MOST)
            for phase in (
                timings.dns,
                timings.connect,
                timings.tls,
                timings.first_byte,
                timings.body,
            )
        ),
        _NO_DAYS if days is None else max(min(days, 32_767), _NO_DAYS + 1),
    )


def _unpack_one(fields: tuple[int, ...], errors: Mapping[str, str]) -> tuple[int, CheckResult]:
    place, outcome, status, *phases, days = fields
    return place, CheckResult(
        verdict=_VERDICTS[outcome >> 6],
        reason=_REASONS[outcome >> 1 & 0x1F],
        status_code=status or None,
        timings=Timings(*phases),
        error=errors.get(str(place)),
        tls_days_left=None if days == _NO_DAYS else days,
        attempts=2 if outcome & 1 else 1,
    )
