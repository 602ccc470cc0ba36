"""Which targets a worker does not check: what the calendars beside their lanes say.

The worker reads its lanes anyway. A lane says by a stamp that there is a calendar beside it, which
is read once for each stamp, so a check costs no read more. Calendars hold rules, not times: a
window begins and ends by itself, and nothing has to run for it.
"""

from collections.abc import Iterable, Sequence

from chalicelib.maintenance.occurrences import times
from chalicelib.maintenance.skip_rule_repository import LaneRule, read_calendars
from chalicelib.monitoring.lane import Lane

_MOST_KNOWN = 2_000
Rules = Sequence[LaneRule]


class SkipRuleCache:
    """The calendars that a process has read; it keeps them as long as it lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], Rules] = {}

    def of(self, lanes: Iterable[Lane]) -> dict[tuple[str, int], Rules]:
        """The rules of those lanes that have a calendar; a call for all that are not known."""
        stamps = {(one.owner, one.number, one.calendar) for one in lanes if one.calendar > 0}
        new = [stamp for stamp in stamps if stamp not in self._known]
        if new:
            found = read_calendars([(owner, number) for owner, number, _ in new])
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known |= {stamp: found.get(stamp[:2], ()) for stamp in new}
        # What was forgotten just now is read again at the next batch.
        return {stamp[:2]: self._known.get(stamp, ()) for stamp in stamps}


def skipped(rules: Rules, tick: int) -> frozenset[str]:
    """The ids of the targets that are not checked at a tick."""
    return frozenset(
        target_id
        for rule in rules
        if tick >= rule.since and times(rule.rule, tick, tick + 1)
        for target_id in rule.target_ids
    )
