"""Process batches of the alerts queue; each message succeeds or fails alone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.disabling import disable_channel
from chalicelib.alerting.planner import plan_alerts
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.sender import BusyError, deliver
from chalicelib.alerting.stale import plan_stale_alerts
from chalicelib.alerting.watchdog import receive_watchdog
from chalicelib.aws.lambda_client import FunctionError
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.monitoring.alert_messages import (
    DeliverJob,
    DisableJob,
    FlipsJob,
    FlushJob,
    Job,
    SkipRulesJob,
    StaleJob,
    UnreadableMessageError,
    WatchdogJob,
    read_job,
)
from chalicelib.monitoring.outbox import flush
from chalicelib.monitoring.storage.lane_repository import Lanes

_LOG = logging.getLogger(__name__)


def handle_alerts(runtime: AlertingRuntime, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Process the messages in `records`; returns the failed ones, as ReportBatchItemFailures.

    An unreadable message fails until it becomes a dead letter. Deliveries are sent last and in
    parallel, so that no receiver delays another. Those to chat services are passed to another
    function, which is awaited.
    """
    failed: list[str] = []
    chat: list[Mapping[str, Any]] = []
    calls: list[Callable[[], list[str]]] = []
    for record in records:
        message, job = record["messageId"], _read(record["body"])
        if job is None:
            failed.append(message)
        elif isinstance(job, DeliverJob | WatchdogJob) and job.is_chat:
            chat.append(record)
        elif isinstance(job, DeliverJob):
            calls.append(partial(_run, runtime, message, job))
        else:
            failed += _run(runtime, message, job)
    if chat:
        calls.append(partial(_notify, runtime, chat))
    return _failures([*failed, *_in_parallel(calls)])


def handle_notices(
    runtime: AlertingRuntime, records: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Process the messages that `handle_alerts` passes on; returns the failed ones likewise."""
    jobs = {record["messageId"]: read_job(record["body"]) for record in records}
    return _failures(_in_parallel([partial(_run, runtime, *one) for one in jobs.items()]))


def _notify(runtime: AlertingRuntime, records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Call the function for chat services; returns the ids of the messages that failed."""
    messages = [record["messageId"] for record in records]
    bodies = [{"messageId": record["messageId"], "body": record["body"]} for record in records]
    try:
        response = runtime.functions.call("notify", {"Records": bodies})
    except (BotoCoreError, ClientError, FunctionError):
        _LOG.exception("notify failed")
        return messages
    failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
    return [message for message in messages if message in failed]


def _in_parallel(calls: Sequence[Callable[[], list[str]]]) -> list[str]:
    if not calls:
        return []
    with ThreadPoolExecutor(len(calls), thread_name_prefix="deliver") as threads:
        return [message for failed in threads.map(lambda call: call(), calls) for message in failed]


def _failures(messages: Sequence[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message} for message in messages]}


def _read(body: str) -> Job | None:
    try:
        return read_job(body)
    except UnreadableMessageError as error:
        _LOG.error("unreadable message", extra={"error": str(error)})
        return None


def _run(runtime: AlertingRuntime, message: str, job: Job) -> list[str]:
    """Run a job; returns the id of its message if it failed and has to be received again."""
    try:
        if isinstance(job, WatchdogJob):
            with acting_as_system():
                receive_watchdog(runtime, job)
        else:
            with acting_for(job.owner):
                _run_for_owner(runtime, job)
    except BusyError as reason:
        _LOG.info("alert is retried later", extra={"owner": job.owner, "reason": str(reason)})
    except Exception:  # noqa: BLE001 - must not affect the other messages; this one is retried
        _LOG.exception("alert failed", extra={"owner": job.owner})
    else:
        return []
    return [message]


def _run_for_owner(
    runtime: AlertingRuntime,
    job: FlipsJob | FlushJob | DeliverJob | DisableJob | SkipRulesJob | StaleJob,
) -> None:
    if isinstance(job, FlipsJob):
        plan_alerts(runtime, job)
    elif isinstance(job, FlushJob):
        flush(runtime, Lanes(job.owner).get(job.lane))
    elif isinstance(job, DisableJob):
        disable_channel(runtime, job)
    elif isinstance(job, StaleJob):
        plan_stale_alerts(runtime, job)
    elif isinstance(job, SkipRulesJob):
        # In another function, because it may take longer than alerts can wait.
        runtime.functions.start("rollup", {"arrange": [job.owner]})
    else:
        deliver(runtime, job)
