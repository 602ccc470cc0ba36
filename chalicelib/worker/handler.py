"""The SQS handler of checks: each message of a batch succeeds or fails separately."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.common.metrics import metric_fields
from chalicelib.monitoring.check_job import CheckJob, UnreadableJobError
from chalicelib.worker.check_worker import WorkReport, run_checks
from chalicelib.worker.runtime import WorkerRuntime

_LOG = logging.getLogger(__name__)
Record = Mapping[str, Any]
_RETRY_S = 5
_MAX_RETRY_S = 180


def handle_checks(runtime: WorkerRuntime, records: Sequence[Record]) -> dict[str, Any]:
    """Run the check jobs in `records`; returns the failed ones as ReportBatchItemFailures wants.

    An unreadable message fails until it moves to the dead-letter queue. Other failures are
    retried within seconds, while their checks are still useful.
    """
    failed: list[Record] = []
    jobs: list[tuple[Record, CheckJob]] = []
    for record in records:
        try:
            jobs.append((record, CheckJob.from_json(record["body"])))
        except UnreadableJobError as error:
            _LOG.error("unreadable message", extra={"error": str(error)})
            failed.append(record)
    if jobs:
        lateness = max(runtime.clock() - job.tick for _, job in jobs)
        report = run_checks(runtime, [job for _, job in jobs])
        failed += [jobs[number][0] for number in report.failed]
        counts = {"verdicts": dict(report.verdicts), "skipped": dict(report.skipped)}
        _LOG.info("checked", extra={**counts, **_metrics(runtime, report, lateness)})
    if failed:
        _retry_soon(runtime, failed)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


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
