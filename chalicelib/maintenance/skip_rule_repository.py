"""Stores skip rules beside lanes, and caches them for the workers.

A worker reads its lanes anyway. A lane's stamp shows that it has skip rules, which are read once
per stamp, so that checks cost no further reads. Since rules are stored and not times, windows start
and end without any process running.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.access.usage import transaction
from chalicelib.maintenance.models import SkipRulesItem
from chalicelib.maintenance.occurrences import occurrences
from chalicelib.maintenance.repository import rule_to_json
from chalicelib.maintenance.window import Rule
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.storage.lane_repository import lane_key, number_of
from chalicelib.monitoring.storage.models import LaneItem

_KEY_PREFIX: Final = "calendar:"
_MAX_CACHED: Final = 2_000


@dataclass(frozen=True, slots=True)
class LaneRule:
    """When the targets with these ids are not checked; it applies from `since`."""

    rule: Rule
    since: int
    target_ids: tuple[str, ...]


Rules = Sequence[LaneRule]


class SkipRules:
    """The skip rules of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def all(self) -> dict[int, Rules]:
        """The rules of every lane that has some, by the lane's number."""
        condition = SkipRulesItem.key.startswith(_KEY_PREFIX)
        items = SkipRulesItem.query(self.owner, condition, consistent_read=True)
        return {number_of(item.key): _rules(item) for item in items}

    def write(self, lane: Lane, rules: Rules) -> None:
        """Replace a lane's rules; raises TransactionConflictError if its stamp is outdated.

        Every write increments the stamp; it is negative if there are no rules to read.
        """
        item = SkipRulesItem(self.owner, _key(lane.number))
        stamp = LaneItem.calendar
        is_unchanged = stamp == lane.calendar if lane.calendar else stamp.does_not_exist()
        next_stamp = abs(lane.calendar) + 1
        with transaction() as write:
            if rules:
                item.rules = [
                    [rule_to_json(one.rule), one.since, list(one.target_ids)] for one in rules
                ]
                write.save(item)
            else:
                write.delete(item)
            write.update(
                LaneItem(self.owner, lane_key(lane.number)),
                [stamp.set(next_stamp if rules else -next_stamp)],
                condition=is_unchanged & LaneItem.key.exists(),
            )


class SkipRuleCache:
    """The skip rules that a process has read."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, int, int], Rules] = {}

    def of(self, lanes: Iterable[Lane]) -> dict[tuple[str, int], Rules]:
        """The rules of the lanes that have some, by `(owner, number)`."""
        keys = {(lane.owner, lane.number, lane.calendar) for lane in lanes if lane.calendar > 0}
        found = {key: self._rules[key] for key in keys if key in self._rules}
        new = keys - found.keys()
        if new:
            stored = read_skip_rules([key[:2] for key in new])
            found |= {key: stored.get(key[:2], ()) for key in new}
            if len(self._rules) > _MAX_CACHED:
                self._rules.clear()
            self._rules |= found
        return {key[:2]: rules for key, rules in found.items()}


def skipped(rules: Rules, tick: int) -> frozenset[str]:
    """The ids of the targets that are not checked at a tick."""
    return frozenset(
        target_id
        for rule in rules
        if tick >= rule.since and occurrences(rule.rule, tick, tick + 1)
        for target_id in rule.target_ids
    )


def read_skip_rules(lanes: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Rules]:
    """The rules of lanes `(owner, number)` of any owners, with one call per hundred lanes."""
    keys = [(owner, _key(number)) for owner, number in dict.fromkeys(lanes)]
    items = SkipRulesItem.batch_get(keys, consistent_read=True)
    return {(item.owner, number_of(item.key)): _rules(item) for item in items}


def _key(number: int) -> str:
    return f"{_KEY_PREFIX}{number:04d}"


def _rules(item: SkipRulesItem) -> list[LaneRule]:
    return [
        LaneRule(Rule(**rule), int(since), tuple(target_ids))
        for rule, since, target_ids in item.rules
    ]
