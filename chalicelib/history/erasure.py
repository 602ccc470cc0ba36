"""Erases the history of deleted targets, without slowing down anything else.

Fifty targets share an item. All deleted targets of a lane are removed from its items at once, each
of which is written again without them. Every hour a run does some of it, at a rate that leaves the
tables free for others, and stores how far it got, so that the next run resumes one that died.
Repeating it does no harm, and what others write in the meantime is never overwritten.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Final

from chalicelib.alerting.channel import DEFAULT_EVENTS
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
from chalicelib.history.rollups.repository import Period, Rollup, Rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.monitoring.storage.result_repository import LaneResults, Results

_LOG = logging.getLogger(__name__)
_AT_ONCE: Final = 4
"""Parallel calls: some hundred writes a second, where a partition takes a thousand."""
_REST_S: Final = 600
"""Checks that were under way at the deletion are written by then."""
_SETTLED_S: Final = 1_800
"""Rollups that had read the results before they were erased are written by then."""
_PATIENCE_S: Final = 20 * HOUR_S
"""For how long alerts of the target that are still being tried keep its incidents."""
_NOTICES_S: Final = 8 * DAY_S
Call = Callable[[], bool]


class ContendedError(Exception):
    """Others wrote the same items; Lambda repeats the run."""


class UnfinishedErasureError(Exception):
    """The erasure of some lanes failed; Lambda repeats the run."""


def run_erasures(runtime: AwsRuntime, text: str, until: float) -> int:
    """Continue a part of an owner's erasures; returns the number of items examined.

    `text` is `owner#part/parts`: lane 7 belongs to part 7 modulo `parts`. At `until`, a time of
    `time.monotonic()`, the run ends after the day of results that it is at.

    Raises:
        UnfinishedErasureError: some lanes failed; the others are done.
    """
    owner, _, share = text.partition("#")
    # Earlier versions started a run for each target, `owner#target id`: these do all lanes.
    part, parts = map(int, share.split("/")) if "/" in share else (0, 1)
    count, failed = 0, 0
    with acting_for(owner):
        for lane, erasures in sorted(Erasures(owner).by_lane().items()):
            if lane % parts != part:
                continue
            try:
                count += _erase_lane(runtime, erasures, until)
            except Exception:  # noqa: BLE001 - must not affect the other lanes; Lambda repeats it
                _LOG.exception("erasure failed", extra={"owner": owner, "lane": lane})
                failed += 1
            if time.monotonic() >= until:
                break
    if failed:
        raise UnfinishedErasureError(f"{failed} lanes failed")
    return count


def _erase_lane(runtime: AwsRuntime, erasures: Sequence[Erasure], until: float) -> int:
    """Continue the erasures of one lane."""
    now = runtime.now
    begun = [
        one for one in erasures if one.results_done_at is None and now >= one.deleted_at + _REST_S
    ]
    settled = [
        one
        for one in erasures
        if one.results_done_at is not None and now >= one.results_done_at + _SETTLED_S
    ]
    count = _erase_results(runtime, begun, until) if begun else 0
    if settled:
        count += _erase_rollups(settled)
    for erasure in settled:
        if _erase_incidents(runtime, erasure):
            Erasures(erasure.owner).finish(erasure)
    return count


def _erase_results(runtime: AwsRuntime, erasures: Sequence[Erasure], until: float) -> int:
    """Erase the results of a lane's targets day by day, at least one day, until the time is up."""
    count, owner, lane = 0, erasures[0].owner, erasures[0].lane
    oldest = runtime.now - runtime.settings.results_retention_days * DAY_S
    start = max(oldest, min(one.cursor for one in erasures))
    for day, end in days_of(start, max(one.deleted_at for one in erasures) + 1):
        concerned = [one for one in erasures if one.cursor < end and day <= one.deleted_at]
        calls = []
        for found in Results(owner).between(lane, day, end, now=runtime.now):
            places = {one.place for one in concerned if _is_its_own(found, one)}
            if not places.isdisjoint(found.by_place):
                calls.append(partial(found.erase, places))
        _do(calls)
        count += len(calls)
        for one in concerned:
            Erasures(owner).advance(one, end)
        if time.monotonic() >= until:
            return count
    for one in erasures:
        Erasures(owner).advance(one, one.deleted_at + 1, runtime.now)
    return count


def _is_its_own(found: LaneResults, erasure: Erasure) -> bool:
    """Whether results include the target's, and not those of the next target in its place.

    The next target's first check may be in the same second; it is not a scheduled one.
    """
    end = erasure.deleted_at + (found.place is None)
    return erasure.cursor <= found.tick < end


def _erase_rollups(erasures: Sequence[Erasure]) -> int:
    """Remove targets of one lane from the hours and days that begin with checks of theirs."""
    count, rollups, lane = 0, Rollups(erasures[0].owner), erasures[0].lane
    start = min(one.created_at for one in erasures)
    end = max(one.deleted_at for one in erasures) + 1
    for period in (Period.HOUR, Period.DAY):
        calls = []
        for found in rollups.between(period, lane, start // DAY_S * DAY_S, end, now=0):
            if places := {one.place for one in erasures if _is_in_rollup(one, period, found)}:
                key = rollups.item_key(period, lane, found.start)
                calls.append(partial(erase_rollup, *key, places))
        _do(calls)
        count += len(calls)
    return count


def _is_in_rollup(erasure: Erasure, period: Period, rollup: Rollup) -> bool:
    """Whether a rollup contains checks of the target, or earlier ones of its place."""
    segment = rollup.segment(erasure.place)
    return (
        segment is not None
        and segment.first <= erasure.deleted_at
        and rollup.start + period.seconds > erasure.created_at
    )


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
    for channel_id, minute, event in product(
        incident.channel_ids or (), sorted(minutes), DEFAULT_EVENTS
    ):
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
