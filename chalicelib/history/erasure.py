"""Erases the history of deleted targets within a day, without slowing anything.

Fifty targets share an item, so a target is taken out of each item of its lane, which is written
again without it. Every hour a run does some of it, at a rate that leaves the tables free for
others, and remembers how far it came: a run that dies is gone on with by the next. Doing it twice
does no harm, and what others write meanwhile is never overwritten.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Final

from chalicelib.alerting.channel import EVENTS
from chalicelib.alerting.delivery import Delivery, DeliveryStatus, minute_of, parse_reference
from chalicelib.alerting.incident import Incident
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.parallel import run_parallel
from chalicelib.history.erasure_repository import (
    Erasure,
    Erasures,
    erase_delivery,
    erase_incident,
    erase_rollup,
)
from chalicelib.history.rollups.job import days_of
from chalicelib.history.rollups.repository import Period, Rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.monitoring.storage.result_repository import Results

MAX_ITEMS: Final = 40_000
"""Items of results that one run may write for one target; 24 runs write more than there can be."""
_LONGEST_S: Final = 200
"""A run ends by itself before it is ended."""
_AT_ONCE: Final = 4
"""Calls side by side: some hundreds a second, where a partition takes a thousand."""
_REST_S: Final = 600
"""Checks that were under way at the deletion are written by then."""
_SETTLED_S: Final = 1_800
"""Folds that had read the results before they were erased are written by then."""
_PATIENCE_S: Final = 20 * HOUR_S
"""For how long alerts of the target that are still being tried keep its incidents."""
_NOTICES_S: Final = 8 * DAY_S
Call = Callable[[], bool]


class ContendedError(Exception):
    """Others wrote the same items: Lambda has the run come again."""


def run_erasure(runtime: AwsRuntime, text: str) -> int:
    """Go on with the erasure of `owner#target id`; returns how many items were looked at."""
    owner, _, target_id = text.partition("#")
    with acting_for(owner):
        erasure = Erasures(owner).get(target_id)
        if erasure is None or runtime.now < erasure.deleted_at + _REST_S:
            return 0
        if erasure.results_done_at is None:
            return _erase_results(runtime, erasure)
        if runtime.now < erasure.results_done_at + _SETTLED_S:
            return 0
        count = _erase_rollups(erasure)
        if not _erase_incidents(runtime, erasure):
            return count
        Erasures(owner).finish(erasure)
        return count


def _erase_results(runtime: AwsRuntime, erasure: Erasure) -> int:
    """Go on with the results, day by day, as far as one run may."""
    count, give_up = 0, time.monotonic() + _LONGEST_S
    oldest = runtime.now - runtime.settings.results_retention_days * DAY_S
    start = max(erasure.cursor, oldest)
    for day, end in days_of(start, max(start, erasure.deleted_at + 1)):
        found = Results(erasure.owner).between(erasure.lane, day, end, now=runtime.now)
        calls = [
            partial(one.erase, erasure.place)
            for one in found
            if erasure.place in one.by_place and _is_its_own(one.tick, one.place, erasure)
        ]
        _do(calls)
        count += len(calls)
        Erasures(erasure.owner).advance(erasure, end)
        if count >= MAX_ITEMS or time.monotonic() > give_up:
            return count
    Erasures(erasure.owner).advance(erasure, erasure.deleted_at + 1, runtime.now)
    return count


def _is_its_own(tick: int, place: int | None, erasure: Erasure) -> bool:
    """Whether a result is of the target, and not of the next in its place, made that second."""
    return tick < erasure.deleted_at or place is None


def _erase_rollups(erasure: Erasure) -> int:
    """Take the target out of hours and days: all that begin with a check of its own or before."""
    count = 0
    rollups = Rollups(erasure.owner)
    for period in (Period.HOUR, Period.DAY):
        unit = period.seconds
        start, end = erasure.created_at // unit * unit, erasure.deleted_at + 1
        keys = [
            rollups.item_key(period, erasure.lane, found.start)
            for found in rollups.between(period, erasure.lane, start, end, now=0)
            if (segment := found.segment(erasure.place)) and segment.first <= erasure.deleted_at
        ]
        _do([partial(erase_rollup, *key, erasure.place) for key in keys])
        count += len(keys)
    return count


def _erase_incidents(runtime: AwsRuntime, erasure: Erasure) -> bool:
    """Delete the incidents with what was told of them; False while something is yet to be told."""
    incidents = Incidents(erasure.owner)
    found = list(incidents.of_target(erasure.target_id))
    is_late = runtime.now >= erasure.deleted_at + _PATIENCE_S
    if not is_late and any(_is_being_told(incident) for incident in found):
        return False
    for incident in found:
        for delivery, references in _deliveries(incident):
            erase_delivery(delivery, references)
        erase_incident(erasure.owner, incident.key)
    since = max(0, runtime.now - _NOTICES_S)
    for entry in incidents.notices(erasure.target_id, since, runtime.now):
        erase_incident(erasure.owner, f"notice#{entry.flip.at:010d}#{erasure.target_id}")
    return True


def _is_being_told(incident: Incident) -> bool:
    return any(one.status is DeliveryStatus.WAITING for one, _ in _deliveries(incident))


def _deliveries(incident: Incident) -> Iterator[tuple[Delivery, frozenset[str]]]:
    """The deliveries of an incident, and which of its flips are in them."""
    deliveries = Deliveries(incident.owner)
    minutes = {minute_of(entry.flip.at) for entry in incident.entries}
    for channel_id, minute, event in product(incident.channel_ids or (), sorted(minutes), EVENTS):
        for one in deliveries.of_minute(channel_id, minute, event):
            own = frozenset(ref for ref in one.about if parse_reference(ref)[0] == incident.key)
            if own:
                yield one, own


def _do(calls: Sequence[Call]) -> None:
    """Do the calls some at a time; raises ContendedError where others came between."""
    refused = 0
    for at in range(0, len(calls), _AT_ONCE):
        refused += run_parallel(calls[at : at + _AT_ONCE]).count(False)
    if refused:
        raise ContendedError(f"{refused} items were changed by others")
