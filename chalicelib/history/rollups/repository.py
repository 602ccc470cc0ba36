"""Stored rollups: the checks of each hour and day, by lane and month.

The attribute `pieces` is one byte for the format (2), then for each place: the place (1 byte), the
length of its segment (a varint), and the segment (see rollup.py). A lane's hour takes about 3 KB.
Format 1 predates maintenance windows.

`together` is the lane summary (see lane_summary.py), which can be read without the segments. Old
rollups have none.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from chalicelib.common.varints import write_varints
from chalicelib.history.rollups.lane_summary import LaneSummary
from chalicelib.history.rollups.rollup import (
    DAY_S,
    HOUR_S,
    Segment,
    pack_segment,
    unpack_segment,
    unpack_segment_v1,
)
from chalicelib.monitoring.storage.models import RollupItem

_FORMAT = 2
_SUMS: Final = ["period", "together", "expires"]
_NONE: Final = {"B": b""}
_UNPACK = {1: unpack_segment_v1, _FORMAT: unpack_segment}


class Period(StrEnum):
    """The periods of rollups; the prefixes of sort keys."""

    HOUR = "1h"
    DAY = "1d"

    @property
    def seconds(self) -> int:
        return HOUR_S if self is Period.HOUR else DAY_S


class UnreadableRollupError(Exception):
    """A stored rollup has an unknown format."""


@dataclass(frozen=True)
class Rollup:
    """One lane's hour or day from `start`: packed segments, made from `results` results items.

    `summary` is the packed lane summary.
    """

    start: int
    packed: bytes
    results: int
    summary: bytes = b""

    @classmethod
    def of(cls, start: int, segments: Mapping[int, Segment], results: int) -> "Rollup":
        """Pack segments by place."""
        data = bytearray([_FORMAT])
        for place, segment in sorted(segments.items()):
            packed = pack_segment(segment, start)
            data.append(place)
            data += write_varints([len(packed)]) + packed
        return cls(start, bytes(data), results, LaneSummary.of(segments).to_bytes(start))

    def segment(self, place: int) -> Segment | None:
        """The segment of a place, None without checks; raises UnreadableRollupError."""
        packed = self._by_place.get(place)
        return None if packed is None else self._unpack(packed, self.start)

    @property
    def segments(self) -> dict[int, Segment]:
        """All segments by place; raises UnreadableRollupError."""
        return {place: self._unpack(data, self.start) for place, data in self._by_place.items()}

    @property
    def _unpack(self) -> Callable[[bytes, int], Segment]:
        return _UNPACK[self.packed[0]]

    @cached_property
    def _by_place(self) -> dict[int, bytes]:
        if self.packed[:1] not in {bytes([known]) for known in _UNPACK}:
            raise UnreadableRollupError(f"a rollup of format {self.packed[:1].hex()}")
        found, at = {}, 1
        while at < len(self.packed):
            place, length, shift = self.packed[at], 0, 0
            at += 1
            while True:
                byte = self.packed[at]
                at += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            found[place] = self.packed[at : at + length]
            at += length
        return found


class Rollups:
    """The rollups of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def between(
        self, period: Period, lane: int, start: int, end: int, *, now: int
    ) -> Iterator[Rollup]:
        """Yield rollups with a start in [start, end), oldest first, with a call per month.

        Expired ones are left out, whether DynamoDB has deleted them yet or not.
        """
        for first, last in months_of(start, end):
            items = RollupItem.query(self._month(lane, first), _begins(period, first, last))
            for item in items:
                if int(item.expires) > now:
                    begins = int(item.period.partition("#")[2])
                    summary = bytes(item.together or b"")
                    yield Rollup(begins, bytes(item.pieces), int(item.results), summary)

    def summaries_between(
        self, period: Period, lane: int, start: int, end: int, *, now: int
    ) -> Iterator[tuple[int, LaneSummary | None]]:
        """Yield `(start, summary)` for the rollups of `between`; None for those without a summary.

        Reads raw items without their segments, because queries of many lanes read many of them.
        """
        for first, last in months_of(start, end):
            items = RollupItem.raw_query(
                self._month(lane, first),
                condition=_begins(period, first, last),
                attributes=_SUMS,
            )
            for item in items:
                if int(item["expires"]["N"]) > now:
                    at = int(item["period"]["S"].partition("#")[2])
                    yield at, LaneSummary.from_bytes(item.get("together", _NONE)["B"], at)

    def write(self, period: Period, lane: int, rollup: Rollup, *, retention_days: int) -> bool:
        """Store a rollup; returns False if the stored one was made from more results.

        So a run that began before a late result was written never replaces the rollup of one that
        began after it, and a rollup stays when its results have expired.
        """
        item = RollupItem(
            self._month(lane, rollup.start),
            f"{period}#{rollup.start:010d}",
            pieces=rollup.packed,
            together=rollup.summary,
            results=rollup.results,
            expires=rollup.start + retention_days * DAY_S,
        )
        try:
            item.save(
                condition=RollupItem.period.does_not_exist()
                | (RollupItem.results <= rollup.results)
            )
        except PutError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def item_key(self, period: Period, lane: int, start: int) -> tuple[str, str]:
        """The keys of the item, `(lane_month, period)`."""
        return self._month(lane, start), f"{period}#{start:010d}"

    def _month(self, lane: int, at: int) -> str:
        return f"{self.owner}#{lane}#{_utc(at):%Y%m}"


def _begins(period: Period, start: int, end: int) -> Condition:
    return RollupItem.period.between(f"{period}#{start:010d}", f"{period}#{end - 1:010d}")


def months_of(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Split [start, end) at the beginnings of months in UTC."""
    while start < end:
        first = _utc(start).replace(day=1, hour=0, minute=0, second=0)
        following = (first + timedelta(days=32)).replace(day=1)
        last = min(end, int(following.timestamp()))
        yield start, last
        start = last


def _utc(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
