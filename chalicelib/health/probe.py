"""Probes: work that `/healthz` sends through the queues and whose completion it looks for.

The regular messages, every quarter of an hour, cost little and show a standstill late. So while
somebody asks for the health, one request a minute sends a probe: a watchdog message on each path of
alerts, and a check of the synthetic target in each region.
"""

import logging
from collections.abc import Mapping
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.watchdog import send_watchdog_messages
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message, Queue, SendError
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.health.self_monitor import synthetic_check
from chalicelib.monitoring.storage.schedule_repository import Probe, save_probe

_LOG = logging.getLogger(__name__)
_INTERVAL_S: Final = 50
"""Shorter than a minute, so that requests once a minute each send one."""
ANSWER_S: Final = 45
"""The longest time in which healthy functions complete a probe, cold starts included."""


def unanswered_s(probe: Probe | None, proved_at: Mapping[str, int], now: int) -> dict[str, int]:
    """Return for how long each part has not completed a probe.

    `proved_at` is the time of the newest work that each part has completed, 0 if there is none.
    """
    if probe is None:
        return {}
    return {
        part: now - probe.pending_since
        for part, at in proved_at.items()
        if at < probe.pending_since
    }


def send_probe(runtime: AwsRuntime, before: Probe | None, *, is_pending: bool) -> None:
    """Send a probe, unless another request has sent one within the minute.

    While an earlier one `is_pending`, the time since which it is pending is kept.
    """
    now = runtime.now
    if before and now < before.sent_at + _INTERVAL_S:
        return
    probe = Probe(now, before.pending_since if before and is_pending else now)
    try:
        with acting_as_system():
            if not save_probe(before, probe):
                return
        send_watchdog_messages(runtime)
        if job := synthetic_check(runtime):
            for region, queue in {"": runtime.checks, **runtime.further_checks}.items():
                _send(region, queue, Message(job.to_json()))
    except (BotoCoreError, ClientError, SendError):
        _LOG.exception("probe not sent")


def _send(region: str, queue: Queue, message: Message) -> None:
    """Send to one region, so that a failing one does not affect the others."""
    try:
        queue.send([message])
    except (BotoCoreError, ClientError, SendError):
        _LOG.exception("probe not sent to a region", extra={"region": region})
