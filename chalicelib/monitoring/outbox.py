"""From a lane's outbox to the alerts queue.

Whoever writes a lane knows all that is in its outbox, as every write holds the lane to the version
that was read. So the writer sends it and then empties it, unless somebody has written since: that
one sends it too. Flips sent twice are told once.
"""

from dataclasses import replace

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import FlipsJob, FlushJob
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.storage.lane_repository import Lanes

_PATIENCE_S = 60
"""Longer than a request lives: by then its outbox is empty, or its process is dead."""


def flush(runtime: AwsRuntime, lane: Lane) -> Lane:
    """Send the lane's outbox, then empty it; returns the lane without it. Raises SendError."""
    if not lane.outbox:
        return lane
    job = FlipsJob(lane.owner, lane.number, lane.outbox)
    runtime.alerts.send([Message(job.to_json())])
    Lanes(lane.owner).empty_outbox(lane)
    return replace(lane, outbox=())


def flush_later(runtime: AwsRuntime, owner: str, lane: int) -> None:
    """Have the outbox of a lane flushed in a minute: before a write that no check may follow."""
    job = FlushJob(owner, lane)
    runtime.alerts.send([Message(job.to_json(), delay_s=_PATIENCE_S)])
