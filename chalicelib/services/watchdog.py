"""The watchdog: messages that go the way of every alert, and say how long that takes.

The schedule sends one into each queue of the alerts, the function behind it keeps when it was sent;
`/healthz` shows how long ago that was.
"""

import logging
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.outbox import WatchdogJob
from chalicelib.services.runtime import Runtime
from chalicelib.store.queues import Message, SendError
from chalicelib.store.schedule import keep_round_trip

_LOG = logging.getLogger(__name__)
WATCHDOG_S: Final = 900
"""Seldom enough to be a fiftieth of what the checks of a hundred targets cost."""
QUEUES: Final = ("alerts", "notices")


def send_watchdog(runtime: Runtime, last_tick: int | None) -> None:
    """Send them on their way, with the first tick of each quarter of an hour.

    The schedule goes on even if that cannot be done.
    """
    if last_tick is not None and last_tick // WATCHDOG_S == runtime.now // WATCHDOG_S:
        return
    for name, queue in zip(QUEUES, (runtime.alerts, runtime.notices), strict=True):
        try:
            queue.send([Message(WatchdogJob(runtime.now, name).to_json())])
        except (SendError, BotoCoreError, ClientError):
            _LOG.exception("watchdog not sent", extra={"queue": name})


def take_watchdog(runtime: Runtime, job: WatchdogJob) -> None:
    """Keep that it has arrived. An older one after a newer changes nothing."""
    keep_round_trip(job.queue, job.sent_at, runtime.now)
