"""Calendars beside lanes: rules by which some of a lane's targets are not checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.access.usage import transaction
from chalicelib.maintenance.models import SkipRulesItem
from chalicelib.maintenance.repository import read_rule, write_rule
from chalicelib.maintenance.window import Rule
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.storage.lane_repository import lane_key, number_of
from chalicelib.monitoring.storage.models import LaneItem

_CALENDAR = "calendar:"


@dataclass(frozen=True, slots=True)
class LaneRule:
    """When the targets with these ids are not checked, from `since` on."""

    rule: Rule
    since: int
    target_ids: tuple[str, ...]


class SkipRules:
    """The calendars of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def all(self) -> dict[int, list[LaneRule]]:
        """The rules of every lane that has some, by its number."""
        items = SkipRulesItem.query(
            self.owner, SkipRulesItem.key.startswith(_CALENDAR), consistent_read=True
        )
        return {number_of(item.key): _rules(item) for item in items}

    def write(self, lane: Lane, rules: Sequence[LaneRule]) -> None:
        """Lay rules beside the lane; raises ChangedError if others were since `lane` was read.

        The lane's stamp grows with it, and is negative where there is nothing to read.
        """
        item = SkipRulesItem(self.owner, _calendar_key(lane.number))
        stamp = LaneItem.calendar
        unchanged = stamp == lane.calendar if lane.calendar else stamp.does_not_exist()
        after = abs(lane.calendar) + 1
        with transaction() as write:
            if rules:
                item.rules = [
                    [write_rule(one.rule), one.since, list(one.target_ids)] for one in rules
                ]
                write.save(item)
            else:
                write.delete(item)
            write.update(
                LaneItem(self.owner, lane_key(lane.number)),
                [stamp.set(after if rules else -after)],
                condition=unchanged & LaneItem.key.exists(),
            )


def read_calendars(
    keys: Iterable[tuple[str, int]],
) -> dict[tuple[str, int], list[LaneRule]]:
    """Calendars of several owners' lanes, `(owner, number)`; a call for each hundred."""
    items = SkipRulesItem.batch_get(
        [(owner, _calendar_key(number)) for owner, number in dict.fromkeys(keys)],
        consistent_read=True,
    )
    return {(item.owner, number_of(item.key)): _rules(item) for item in items}


def _calendar_key(number: int) -> str:
    return f"{_CALENDAR}{number:04d}"


def _rules(item: SkipRulesItem) -> list[LaneRule]:
    return [
        LaneRule(read_rule(rule), int(since), tuple(target_ids))
        for rule, since, target_ids in item.rules
    ]
