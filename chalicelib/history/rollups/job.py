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


def periods_to_roll_up(folded: int | None, now: int, retention_s: int) -> list[list[Span]]:
    """The hours that a run at `now` gives out, in messages of at most two days each.

    `folded` is up to where the run before gave them out. They are the hours that have ended since,
    the hour before them once more, and a day later all of them again: so an hour is folded as soon
    as it is over, a run that failed is made up for by the next, and results that were late, or
    folds that failed altogether, are picked up. An event that comes twice within an hour finds
    nothing to do. What is older than the results are kept is not asked for.
    """
    end = now // HOUR_S * HOUR_S
    start = end - HOUR_S if folded is None else min(folded, end)
    if start == end:
        return []
    start = max(start - HOUR_S, end - retention_s)
    recent, again = (start, end), (start - LATE_S, end - LATE_S)
    if end - start <= DAY_S:
        return [[again, recent]]
    return [[span] for span in days_of(start - LATE_S, end)]


def days_of(start: int, end: int) -> list[Span]:
    """The parts of a span that lie in one day each."""
    edges = [start, *range(start // DAY_S * DAY_S + DAY_S, end, DAY_S), end]
    return [(a, b) for a, b in pairwise(edges) if a < b]
