"""Rollup jobs: the message that requests them and the hours that each run of `fan_out` covers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from chalicelib.common.intervals import Span
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S

_VERSION: Final = 1
LATE_S: Final = DAY_S
"""A message stays in the queue for a day, so the last result of an hour arrives by then."""


class UnreadableRollupJobError(Exception):
    """The message is not a rollup job of a version that this code knows."""


@dataclass(frozen=True, slots=True)
class RollupJob:
    """Full hours of one lane to roll up (again) from its results."""

    owner: str
    lane: int
    spans: Sequence[Span]

    def to_json(self) -> str:
        fields = {"v": _VERSION, "owner": self.owner, "lane": self.lane, "spans": list(self.spans)}
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "RollupJob":
        """Parse a message; raises UnreadableRollupJobError, which never quotes the message."""
        try:
            fields = json.loads(text)
            if fields["v"] != _VERSION:
                raise UnreadableRollupJobError(f"a rollup job of version {fields['v']!r}")
            spans = [(int(start), int(end)) for start, end in fields["spans"]]
            return cls(fields["owner"], int(fields["lane"]), spans)
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableRollupJobError(f"not a rollup job ({type(error).__name__})") from None


def periods_to_roll_up(rolled_up: int | None, now: int, retention_s: int) -> list[list[Span]]:
    """The hours that a run at `now` requests, in batches of at most two days.

    `rolled_up` is the end of the previous run's hours. Requested are the hours that ended since,
    the hour before them again, and all of them once more a day later. So an hour is rolled up as
    soon as it is over, the next run makes up for a failed one, and late results are included. A
    duplicate event within an hour has nothing to do. Hours older than the retention are left out.
    A `rolled_up` in the future was written by a clock that was ahead, and is ignored.
    """
    end = now // HOUR_S * HOUR_S
    start = end - HOUR_S if rolled_up is None or rolled_up > end else rolled_up
    if start == end:
        return []
    start = max(start - HOUR_S, end - retention_s)
    recent, again = (start, end), (start - LATE_S, end - LATE_S)
    if end - start <= DAY_S:
        return [[again, recent]]
    return [[span] for span in days_of(start - LATE_S, end)]


def days_of(start: int, end: int) -> list[Span]:
    """Split a span at midnight UTC."""
    edges = [start, *range(start // DAY_S * DAY_S + DAY_S, end, DAY_S), end]
    return [(a, b) for a, b in pairwise(edges) if a < b]
