"""The watchdog: messages that go the way of every alert, and say how long that takes.

The schedule sends two, one for each of the functions that send alerts, which keep when theirs was
sent; `/healthz` shows how long ago that was.
"""

import logging
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message, SendError
from chalicelib.monitoring.alert_messages import CHAT, WatchdogJob
from chalicelib.monitoring.storage.schedule_repository import save_round_trip

_LOG = logging.getLogger(__name__)
WATCHDOG_S: Final = 900
"""Seldom enough to be a fiftieth of what the checks of a hundred targets cost."""
ALERT_PATHS: Final = ("alerts", CHAT)


def send_watchdog(runtime: AwsRuntime, last_tick: int | None) -> None:
    """Send them on their way, with the first tick of each quarter of an hour.

    The schedule goes on even if that cannot be done.
    """
    if last_tick is not None and last_tick // WATCHDOG_S == runtime.now // WATCHDOG_S:
        return
    try:
        runtime.alerts.send(
            [Message(WatchdogJob(runtime.now, way).to_json()) for way in ALERT_PATHS]
        )
    except (SendError, BotoCoreError, ClientError):
        _LOG.exception("watchdog not sent")


def take_watchdog(runtime: AwsRuntime, job: WatchdogJob) -> None:
    """Keep that it has arrived. An older one after a newer changes nothing."""
    save_round_trip(job.way, job.sent_at, runtime.now)
