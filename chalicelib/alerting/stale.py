"""Alerts about stale targets, for channels with the event `stale`.

Nothing happens when a status becomes stale, so no flip leads to an alert. Every hour `fan_out` has
the targets searched of the owners with such channels. Each channel gets at most one alert an hour.
"""

from collections import defaultdict
from typing import Final

from chalicelib.alerting.alert import AlertedTarget, one_line
from chalicelib.alerting.channel import Event
from chalicelib.alerting.content import AlertContent
from chalicelib.alerting.delivery import Delivery, parse_reference
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries, Slot
from chalicelib.maintenance.occurrences import muted_until
from chalicelib.maintenance.repository import Windows
from chalicelib.monitoring.alert_messages import StaleJob
from chalicelib.monitoring.storage.target_repository import Targets

HOUR_S: Final = 3_600
_STATUS: Final = "UNKNOWN"


def plan_stale_alerts(runtime: AlertingRuntime, job: StaleJob) -> None:
    """Send a delivery to each channel with the event that covers one of the stale targets.

    The hour of `found_at` is part of the delivery's key: a repeated message changes nothing, and
    neither does another search within the hour.
    """
    targets = Targets(job.owner).some(job.targets)
    channels = [one for one in Channels(job.owner).all() if Event.STALE in one.events]
    about: dict[str, set[str]] = defaultdict(set)
    for target_id, target in targets.items():
        for channel in channels:
            if channel.covers(target.tags, target.channel_ids):
                about[channel.id].add(_reference(target_id, job.targets[target_id]))
    hour, now = job.found_at // HOUR_S * HOUR_S, runtime.now
    deliveries = [
        Deliveries(job.owner).put(
            Slot(channel, Event.STALE, hour, "0"), frozenset(about[channel.id]), due=now, now=now
        )
        for channel in channels
        if about[channel.id]
    ]
    send_deliveries(runtime, deliveries)


def stale_content(delivery: Delivery, now: int) -> AlertContent:
    """Return the targets to report; none once the next search has replaced this one.

    Targets that have been paused, or are in maintenance, since the search are left out.
    """
    if now >= delivery.minute + 2 * HOUR_S:
        return AlertContent(dropped=delivery.about)
    since = {_target_of(reference): parse_reference(reference)[2] for reference in delivery.about}
    targets = Targets(delivery.owner).some(since)
    windows = Windows(delivery.owner).all()
    reported = [
        target
        for target_id, target in sorted(targets.items())
        if target.enabled and muted_until(windows, target_id, target.tags, now) is None
    ]
    kept = {target.id for target in reported}
    return AlertContent(
        [
            AlertedTarget(
                target_id=target.id,
                name=one_line(target.name),
                url=one_line(target.url, 300),
                status=_STATUS,
                since=since[target.id],
            )
            for target in reported
        ],
        frozenset(one for one in delivery.about if _target_of(one) not in kept),
    )


def _reference(target_id: str, since: int) -> str:
    return f"stale#{target_id}|stale|{since}"


def _target_of(reference: str) -> str:
    return parse_reference(reference)[0].partition("#")[2]
