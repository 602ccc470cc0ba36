"""The hourly search for the stale targets of an owner with a channel for the event `stale`."""

from itertools import islice
from typing import Final

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message
from chalicelib.aws.tenancy import acting_for
from chalicelib.maintenance.occurrences import active_windows
from chalicelib.maintenance.reported_status import all_reported_statuses
from chalicelib.maintenance.repository import Windows
from chalicelib.monitoring.alert_messages import StaleJob
from chalicelib.monitoring.latest_checks import find_last_checks

_MAX_REPORTED: Final = 1_000
"""Targets in one alert: their references have to fit into one item."""


def search_stale_targets(runtime: AwsRuntime, owner: str) -> int:
    """Have alerts sent about the owner's stale targets; returns their number.

    Targets in maintenance are left out, whether it skips their checks or only mutes them.
    """
    with acting_for(owner):
        windows = active_windows(Windows(owner).all(), runtime.now)
        found = (
            (one, reported)
            for one, reported in all_reported_statuses(runtime, owner)
            if reported.is_stale and not any(window.covers(one.id, one.tags) for window in windows)
        )
        stale = dict(islice(((one.id, (one, reported)) for one, reported in found), _MAX_REPORTED))
        states = {target_id: reported.state for target_id, (_, reported) in stale.items()}
        last = find_last_checks(runtime, owner, [one for one, _ in stale.values()], states)
        since = {
            target_id: reported.known_at(last[target_id])
            for target_id, (_, reported) in stale.items()
        }
        if since:
            runtime.alerts.send([Message(StaleJob(owner, runtime.now, since).to_json())])
    return len(since)
