"""From a batch of the alerts queue to work and back: each message stands or falls alone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.planner import plan_alerts
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.sender import BusyError, deliver
from chalicelib.alerting.watchdog import take_watchdog
from chalicelib.aws.lambda_client import FunctionError
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.monitoring.alert_messages import (
    DeliverJob,
    FlipsJob,
    FlushJob,
    Job,
    SkipRulesJob,
    UnreadableMessageError,
    WatchdogJob,
    read_job,
)
from chalicelib.monitoring.outbox import flush
from chalicelib.monitoring.storage.lane_repository import Lanes

_LOG = logging.getLogger(__name__)


def handle_alerts(runtime: AlertingRuntime, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Do what the messages in `records` ask for; answers which are to be delivered again.

    The shape is Lambda's for ReportBatchItemFailures. A message that cannot be read fails until it
    is a dead letter. What talks to receivers comes last and side by side: none waits for another.
    What goes to chat services is done by a function of its own, which is waited for.
    """
    jobs = {record["messageId"]: _read(record["body"]) for record in records}
    failed = [message for message, job in jobs.items() if job is None]
    known = {message: job for message, job in jobs.items() if job}
    chat = [record for record in records if _is_chat(known.get(record["messageId"]))]
    outside = {message: job for message, job in known.items() if isinstance(job, DeliverJob)}
    for message, job in known.items():
        if message not in outside and not _is_chat(job) and not _done(runtime, job):
            failed.append(message)
    calls = [
        partial(_failing, runtime, message, job)
        for message, job in outside.items()
        if not job.is_chat
    ]
    if chat:
        calls.append(partial(_notify, runtime, chat))
    return _again([*failed, *_side_by_side(calls)])


def handle_notices(
    runtime: AlertingRuntime, records: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Make the deliveries that `handle_alerts` hands on; answers as it does."""
    jobs = {record["messageId"]: read_job(record["body"]) for record in records}
    return _again(
        _side_by_side([partial(_failing, runtime, *one) for one in jobs.items()]),
    )


def _is_chat(job: Job | None) -> bool:
    return isinstance(job, DeliverJob | WatchdogJob) and job.is_chat


def _notify(runtime: AlertingRuntime, records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Have the function for chat services make deliveries; the messages that failed."""
    messages = [record["messageId"] for record in records]
    bodies = [{"messageId": record["messageId"], "body": record["body"]} for record in records]
    try:
        answer = runtime.functions.call("notify", {"Records": bodies})
    except (BotoCoreError, ClientError, FunctionError):
        _LOG.exception("notify failed")
        return messages
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    return [message for message in messages if message in failed]


def _failing(runtime: AlertingRuntime, message: str, job: Job) -> list[str]:
    return [] if _done(runtime, job) else [message]


def _side_by_side(calls: Sequence[Callable[[], list[str]]]) -> list[str]:
    if not calls:
        return []
    with ThreadPoolExecutor(len(calls), thread_name_prefix="deliver") as threads:
        return [message for failed in threads.map(lambda call: call(), calls) for message in failed]


def _again(messages: Sequence[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message} for message in messages]}


def _read(body: str) -> Job | None:
    try:
        return read_job(body)
    except UnreadableMessageError as error:
        _LOG.error("unreadable message", extra={"error": str(error)})
        return None


def _done(runtime: AlertingRuntime, job: Job) -> bool:
    try:
        if isinstance(job, WatchdogJob):
            with acting_as_system():
                take_watchdog(runtime, job)
        else:
            with acting_for(job.owner):
                _do(runtime, job)
    except BusyError as reason:
        _LOG.info("alert comes again", extra={"owner": job.owner, "reason": str(reason)})
        return False
    except Exception:  # noqa: BLE001 - the other messages go on, this one comes again
        _LOG.exception("alert failed", extra={"owner": job.owner})
        return False
    return True


def _do(runtime: AlertingRuntime, job: FlipsJob | FlushJob | DeliverJob | SkipRulesJob) -> None:
    if isinstance(job, FlipsJob):
        plan_alerts(runtime, job)
    elif isinstance(job, FlushJob):
        flush(runtime, Lanes(job.owner).get(job.lane))
    elif isinstance(job, SkipRulesJob):
        # It may take longer than alerts can wait for.
        runtime.functions.start("rollup", {"arrange": [job.owner]})
    else:
        deliver(runtime, job)
