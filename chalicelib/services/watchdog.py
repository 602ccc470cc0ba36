"""A message that goes the way of every alert, now and then: when it stops arriving, alerts do.

The schedule sends it, the alerts' function takes it and keeps when it was sent; `/healthz` shows
how long ago that was.
"""

import logging

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.outbox import WatchdogJob
from chalicelib.services.runtime import Runtime
from chalicelib.store.queues import Message, SendError
from chalicelib.store.schedule import keep_round_trip

WATCHDOG_EVERY_S = 300
"""Each minute it would cost as much as all the checks of a hundred targets."""
_LOG = logging.getLogger(__name__)


def send_watchdog(runtime: Runtime) -> None:
    """Send it on its way in every fifth minute; the schedule goes on even if that fails."""
    if runtime.now % WATCHDOG_EVERY_S // 60 != 1:
        return
    try:
        runtime.alerts.send([Message(WatchdogJob(runtime.now).to_json())])
    except (SendError, BotoCoreError, ClientError):
        _LOG.exception("watchdog not sent")


def take_watchdog(runtime: Runtime, job: WatchdogJob) -> None:
    """Keep that it has arrived. An older one after a newer changes nothing."""
    keep_round_trip(job.sent_at, runtime.now)
