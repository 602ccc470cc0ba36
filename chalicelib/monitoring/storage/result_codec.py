"""Results as bytes: 17 for each target, so that a lane's fifty fit into one write unit of 1 KB.

- format   1 byte, 2

then for each result, big-endian:

- place    1 byte
- outcome  1 byte: verdict (2 bits), reason (5 bits, 0 for none), confirmed by a second try (1)
- status   2 bytes, 0 for none
- timings  5 times 2 bytes: dns, connect, tls, first byte, body, in ms, at most 65,535
- tls days 2 bytes, signed, -32,768 for unknown
- interval 1 byte: the target's as a place in INTERVALS_S, from 1; 0 for unknown. For how long a
           check stands at most follows from it, also when the interval has changed since.

Format 1 was without the interval.
"""

from collections.abc import Iterator, Mapping
from struct import Struct

from chalicelib.monitoring.result import CheckResult, Reason, Sample, Timings, Verdict
from chalicelib.monitoring.schedule import INTERVALS_S

_FORMAT = 2
_RESULT = Struct(">BBH5HhB")
_OLD_RESULT = Struct(">BBH5Hh")
_SIZES = {b"\x01": _OLD_RESULT.size, b"\x02": _RESULT.size}
_UNKNOWN_INTERVAL_S = 60
_INTERVALS = (_UNKNOWN_INTERVAL_S, *INTERVALS_S)
_INTERVAL_CODES = {interval_s: code for code, interval_s in enumerate(INTERVALS_S, 1)}
_NO_DAYS = -32_768
_MOST = 65_535
_VERDICTS = list(Verdict)
_REASONS = [None, *Reason]


class UnreadableResultsError(Exception):
    """Stored results of a format that this code does not know."""


def pack(results: Mapping[int, CheckResult], intervals_s: Mapping[int, int] | None = None) -> bytes:
    """`{place: result}` as bytes, with the targets' intervals by place, without error texts."""
    known = intervals_s or {}
    return bytes([_FORMAT]) + b"".join(
        _pack_one(place, result, _INTERVAL_CODES.get(known.get(place, 0), 0))
        for place, result in sorted(results.items())
    )


def texts_of(results: Mapping[int, CheckResult]) -> dict[str, str]:
    """The error texts of results, which `pack` leaves out: `{"<place>": text, "<place>/1": ...}`.

    The second is what the first of two tries failed with.
    """
    return {
        key: text
        for place, result in results.items()
        for key, text in zip(_text_keys(place), (result.error, result.first_error), strict=True)
        if text
    }


def unpack(data: bytes, texts: Mapping[str, str]) -> dict[int, CheckResult]:
    """What `pack` packed, with the texts of `texts_of`; raises UnreadableResultsError."""
    return dict(_unpack_one(fields, texts) for fields in _fields(data))


def samples(data: bytes, tick: int) -> Iterator[tuple[int, Sample]]:
    """What a statistic needs of packed results, `(place, sample)`; raises UnreadableResultsError.

    No more is unpacked than that: a month of a lane is two million results.
    """
    for place, outcome, _, dns, connect, tls, first_byte, body, _, interval in _fields(data):
        response_ms = dns + connect + tls + first_byte + body
        yield place, Sample(tick, tick + _INTERVALS[interval], outcome >> 6, response_ms)


def without_place(
    data: bytes, texts: Mapping[str, str], place: int
) -> tuple[bytes | None, dict[str, str]]:
    """Packed results and their texts without those of a place; None where nothing is left."""
    size = _SIZES.get(data[:1])
    if size is None:
        raise UnreadableResultsError(f"results of format {data[:1].hex()}")
    parts = [data[at : at + size] for at in range(1, len(data), size)]
    left = [part for part in parts if part[0] != place]
    gone = _text_keys(place)
    others = {key: text for key, text in texts.items() if key not in gone}
    return data[:1] + b"".join(left) if left else None, others


def _text_keys(place: int) -> tuple[str, str]:
    return str(place), f"{place}/1"


def _fields(data: bytes) -> Iterator[tuple[int, ...]]:
    match data[:1]:
        case b"\x02":
            return _RESULT.iter_unpack(data[1:])
        case b"\x01":
            return ((*fields, 0) for fields in _OLD_RESULT.iter_unpack(data[1:]))
    raise UnreadableResultsError(f"results of format {data[:1].hex()}")


def _pack_one(place: int, result: CheckResult, interval: int) -> bytes:
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
        interval,
    )


def _unpack_one(fields: tuple[int, ...], texts: Mapping[str, str]) -> tuple[int, CheckResult]:
    place, outcome, status, *phases, days, _ = fields
    error, first_error = map(texts.get, _text_keys(place))
    return place, CheckResult(
        verdict=_VERDICTS[outcome >> 6],
        reason=_REASONS[outcome >> 1 & 0x1F],
        status_code=status or None,
        timings=Timings(*phases),
        error=error,
        tls_days_left=None if days == _NO_DAYS else days,
        attempts=2 if outcome & 1 else 1,
        first_error=first_error,
    )
