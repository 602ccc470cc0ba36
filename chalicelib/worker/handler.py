"""The SQS handler of checks: each message of a batch succeeds or fails separately."""

import logging
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.sqs import Record, first_received_at, sent_at
from chalicelib.common.metrics import metric_fields, report_error
from chalicelib.monitoring.check_job import CheckJob, MistimedJobError, UnreadableJobError
from chalicelib.worker.check_worker import WorkReport, run_checks
from chalicelib.worker.runtime import WorkerRuntime

_LOG = logging.getLogger(__name__)
_RETRY_S = 5
_MAX_RETRY_S = 180


def handle_checks(runtime: WorkerRuntime, records: Sequence[Record]) -> dict[str, Any]:
    """Run the check jobs in `records`; returns the failed ones as ReportBatchItemFailures wants.

    An unreadable message fails until it moves to the dead-letter queue. Other failures are
    retried within seconds, while their checks are still useful.
    """
    failed: list[Record] = []
    jobs: list[tuple[Record, CheckJob]] = []
    _correct_clock(runtime, records)
    for record in records:
        try:
            jobs.append((record, _job(record)))
        except UnreadableJobError as error:
            _LOG.error("unreadable message", extra={"error": str(error)})
            failed.append(record)
        except MistimedJobError as error:
            report_error(runtime, "ClockErrors", "check not made", error=str(error))
    if jobs:
        lateness = max(runtime.clock() - job.tick for _, job in jobs)
        report = run_checks(runtime, [job for _, job in jobs])
        failed += [jobs[number][0] for number in report.failed]
        counts = {"verdicts": dict(report.verdicts), "skipped": dict(report.skipped)}
        _LOG.info("checked", extra={**counts, **_metrics(runtime, report, lateness)})
    if failed:
        _retry_soon(runtime, failed)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def _correct_clock(runtime: WorkerRuntime, records: Sequence[Record]) -> None:
    """Correct a slow clock: with it every result would seem to be from the future."""
    received = [at for record in records if (at := first_received_at(record)) is not None]
    if received:
        runtime.correct_clock(max(received))


def _job(record: Record) -> CheckJob:
    """Parse a message and judge its lateness by the timestamps of SQS, not by two clocks."""
    job = CheckJob.from_json(record["body"])
    sent, received = sent_at(record), first_received_at(record)
    return job if sent is None or received is None else job.received(sent, received)


def _metrics(runtime: WorkerRuntime, report: WorkReport, lateness: float) -> dict[str, Any]:
    verdicts = {f"Checks{name.capitalize()}": n for name, n in report.verdicts.items()}
    return metric_fields(
        runtime.settings,
        runtime.clock(),
        Lateness=round(max(lateness, 0), 3),
        ChecksDropped=report.skipped["stale"],
        **verdicts,
    )


def _retry_soon(runtime: WorkerRuntime, failed: Sequence[Record]) -> None:
    """Shorten the visibility timeout of failed messages, which is sized for a worker that died.

    It grows with the deliveries: 5, 20, 80 and 180 s. If this fails, they are retried later.
    """
    try:
        runtime.checks.hide({record["receiptHandle"]: _retry_s(record) for record in failed})
    except (BotoCoreError, ClientError):
        _LOG.exception("failed messages are retried late")


def _retry_s(record: Record) -> int:
    deliveries = int(record["attributes"]["ApproximateReceiveCount"])
    return int(min(_RETRY_S * 4 ** (deliveries - 1), _MAX_RETRY_S))
