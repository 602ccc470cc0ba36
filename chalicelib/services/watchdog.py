"""A message that goes the way of every alert, each ten minutes: when it stops arriving, alerts do.

The schedule sends it, the alerts' function takes it and keeps when it was sent; `/healthz` shows
how long ago that was.
"""

import logging

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.outbox import WatchdogJob
from chalicelib.services.runtime import Runtime
from chalicelib.store.queues import Message, SendError
from chalicelib.store.schedule import keep_round_trip

_LOG = logging.getLogger(__name__)


WATCHDOG_S = 600
"""Seldom enough to be a fiftieth of what the checks of a hundred targets cost."""


def send_watchdog(runtime: Runtime, last_tick: int | None) -> None:
    """Send it on its way, with the first tick of each ten minutes.

    The schedule goes on even if that cannot be done.
    """
    if last_tick is not None and last_tick // WATCHDOG_S == runtime.now // WATCHDOG_S:
        return
    try:
        runtime.alerts.send([Message(WatchdogJob(runtime.now).to_json())])
    except (SendError, BotoCoreError, ClientError):
        _LOG.exception("watchdog not sent")


def take_watchdog(runtime: Runtime, job: WatchdogJob) -> None:
    """Keep that it has arrived. An older one after a newer changes nothing."""
    keep_round_trip(job.sent_at, runtime.now)
