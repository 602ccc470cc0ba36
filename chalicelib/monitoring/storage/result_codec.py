"""Results as bytes: 17 per target, so that the 50 results of a lane fit into a write unit (1 KB).

- format   1 byte, 2

then for each result, big-endian:

- place    1 byte
- outcome  1 byte: verdict (2 bits), reason (5 bits, 0 for none), whether it was retried (1)
- status   2 bytes, 0 for none
- timings  5 x 2 bytes: dns, connect, tls, first byte, body, in ms, at most 65,535
- tls days 2 bytes, signed, -32,768 for unknown
- interval 1 byte: the target's interval as an index into INTERVALS_S, from 1; 0 for unknown. It
           limits how long a check is valid, even if the interval has changed since.

Format 1 has no interval.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import astuple
from struct import Struct

from chalicelib.monitoring.result import VERDICTS, CheckResult, Reason, Sample, Timings
from chalicelib.monitoring.schedule import INTERVALS_S

_FORMAT = 2
_RESULT = Struct(">BBH5HhB")
_STRUCTS = {b"\x01": Struct(">BBH5Hh"), b"\x02": _RESULT}
_UNKNOWN_INTERVAL_S = 60
_INTERVALS = (_UNKNOWN_INTERVAL_S, *INTERVALS_S)
_INTERVAL_CODES = {interval_s: code for code, interval_s in enumerate(INTERVALS_S, 1)}
_NO_DAYS = -32_768
_MAX_MS = 65_535
_REASONS = [None, *Reason]


class UnreadableResultsError(Exception):
    """Stored results have an unknown format."""


def pack(results: Mapping[int, CheckResult], intervals_s: Mapping[int, int] | None = None) -> bytes:
    """Encode `{place: result}`, with the targets' intervals by place, without error texts."""
    known = intervals_s or {}
    return bytes([_FORMAT]) + b"".join(
        _pack_one(place, result, _INTERVAL_CODES.get(known.get(place, 0), 0))
        for place, result in sorted(results.items())
    )


def error_texts(results: Mapping[int, CheckResult]) -> dict[str, str]:
    """The error texts, which `pack` leaves out: `{"<place>": error, "<place>/1": first_error}`."""
    return {
        key: text
        for place, result in results.items()
        for key, text in zip(_text_keys(place), (result.error, result.first_error), strict=True)
        if text
    }


def unpack(data: bytes, texts: Mapping[str, str]) -> dict[int, CheckResult]:
    """Decode `{place: result}`, with the texts of `error_texts`; raises UnreadableResultsError."""
    return dict(_unpack_one(fields, texts) for fields in _fields(data))


def samples(data: bytes, tick: int) -> Iterator[tuple[int, Sample]]:
    """The `(place, sample)` pairs of packed results; raises UnreadableResultsError.

    Decodes only what statistics use: a month of a lane is two million results.
    """
    for place, outcome, _, dns, connect, tls, first_byte, body, _, interval in _fields(data):
        response_ms = dns + connect + tls + first_byte + body
        yield place, Sample(tick, tick + _INTERVALS[interval], outcome >> 6, response_ms)


def without_places(
    data: bytes, texts: Mapping[str, str], places: Collection[int]
) -> tuple[bytes | None, dict[str, str]]:
    """Packed results and their texts without those of places; None if none are left."""
    size = _struct(data).size
    parts = [data[at : at + size] for at in range(1, len(data), size)]
    left = [part for part in parts if part[0] not in places]
    gone = {key for place in places for key in _text_keys(place)}
    other_texts = {key: text for key, text in texts.items() if key not in gone}
    return data[:1] + b"".join(left) if left else None, other_texts


def _text_keys(place: int) -> tuple[str, str]:
    return str(place), f"{place}/1"


def _struct(data: bytes) -> Struct:
    try:
        return _STRUCTS[data[:1]]
    except KeyError:
        raise UnreadableResultsError(f"unknown results format {data[:1].hex()}") from None


def _fields(data: bytes) -> Iterator[tuple[int, ...]]:
    struct = _struct(data)
    found = struct.iter_unpack(data[1:])
    return found if struct is _RESULT else ((*fields, 0) for fields in found)


def _pack_one(place: int, result: CheckResult, interval: int) -> bytes:
    outcome = VERDICTS.index(result.verdict) << 6 | _REASONS.index(result.reason) << 1
    days = result.tls_days_left
    return _RESULT.pack(
        place,
        outcome | (result.attempts > 1),
        result.status_code or 0,
        *(min(max(phase, 0), _MAX_MS) for phase in astuple(result.timings)),
        _NO_DAYS if days is None else max(min(days, 32_767), _NO_DAYS + 1),
        interval,
    )


def _unpack_one(fields: tuple[int, ...], texts: Mapping[str, str]) -> tuple[int, CheckResult]:
    place, outcome, status, *phases, days, _ = fields
    error, first_error = map(texts.get, _text_keys(place))
    return place, CheckResult(
        verdict=VERDICTS[outcome >> 6],
        reason=_REASONS[outcome >> 1 & 0x1F],
        status_code=status or None,
        timings=Timings(*phases),
        error=error,
        tls_days_left=None if days == _NO_DAYS else days,
        attempts=2 if outcome & 1 else 1,
        first_error=first_error,
    )
