"""The watchdog: messages that take the path of every alert and measure how long that takes.

The scheduler sends one for each function that sends alerts. The function stores when its message
was sent; `/healthz` shows how long ago that was.
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
"""Costs a fiftieth of what the checks of a hundred targets cost."""
ALERT_PATHS: Final = ("alerts", CHAT)


def send_watchdog(runtime: AwsRuntime, last_tick: int | None) -> None:
    """Send the messages with the first tick of each quarter of an hour.

    A failure is only logged, so that it does not stop the scheduler.
    """
    if last_tick is not None and last_tick // WATCHDOG_S == runtime.now // WATCHDOG_S:
        return
    send_watchdog_messages(runtime)


def send_watchdog_messages(runtime: AwsRuntime) -> None:
    """Send a message on each path. A failure is only logged; the messages are then missing."""
    messages = [Message(WatchdogJob(runtime.now, path).to_json()) for path in ALERT_PATHS]
    try:
        runtime.alerts.send(messages)
    except (SendError, BotoCoreError, ClientError):
        _LOG.exception("watchdog not sent")


def receive_watchdog(runtime: AwsRuntime, job: WatchdogJob) -> None:
    """Store the arrival. An older message that arrives after a newer one changes nothing."""
    save_round_trip(job.way, job.sent_at, runtime.now)
