"""Sends a lane's outbox to the alerts queue.

Every write of a lane is conditional on the version that was read, so its writer knows the whole
outbox. It sends the outbox, then empties it unless another writer came in between: that one sends
it again. Alerting notifies of a flip once even if it is sent twice.
"""

from dataclasses import replace

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import FlipsJob, FlushJob
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.storage.lane_repository import Lanes

_FLUSH_DELAY_S = 60
"""Longer than any request runs: by then its outbox is empty, or its process has died."""


def flush(runtime: AwsRuntime, lane: Lane) -> Lane:
    """Send the lane's outbox, then empty it; return the lane without it. Raises SendError."""
    if not lane.outbox:
        return lane
    runtime.alerts.send([Message(FlipsJob(lane.owner, lane.number, lane.outbox).to_json())])
    Lanes(lane.owner).empty_outbox(lane)
    return replace(lane, outbox=())


def flush_later(runtime: AwsRuntime, owner: str, lane: int) -> None:
    """Schedule a flush in a minute, before a write that no check may follow. Raises SendError."""
    runtime.alerts.send([Message(FlushJob(owner, lane).to_json(), delay_s=_FLUSH_DELAY_S)])
