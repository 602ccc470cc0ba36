"""From a batch of SQS records to work and back: each message stands or falls alone."""

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
_AGAIN_S = 5
_LONGEST_S = 180


def handle_checks(runtime: WorkerRuntime, records: Sequence[Record]) -> dict[str, Any]:
    """Run the check jobs in `records`; answers which are to be delivered again.

    The shape is Lambda's for ReportBatchItemFailures. A message that cannot be read fails until it
    is a dead letter. One that failed comes again within seconds, while its check is still of use.
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
        told = {"verdicts": dict(report.verdicts), "skipped": dict(report.skipped)}
        _LOG.info("checked", extra={**told, **_counted(runtime, report, lateness)})
    if failed:
        _have_come_soon(runtime, failed)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def _counted(runtime: WorkerRuntime, report: WorkReport, lateness: float) -> dict[str, Any]:
    verdicts = {f"Checks{name.capitalize()}": n for name, n in report.verdicts.items()}
    return metric_fields(
        runtime.settings,
        runtime.clock(),
        Lateness=round(max(lateness, 0), 3),
        ChecksDropped=report.skipped["stale"],
        **verdicts,
    )


def _have_come_soon(runtime: WorkerRuntime, failed: Sequence[Record]) -> None:
    """Shorten the time for which these are hidden, which is meant for a worker that died.

    It grows with the deliveries: 5, 20, 80 and 180 s. Where that cannot be done they come later.
    """
    try:
        runtime.checks.hide({record["receiptHandle"]: _wait_s(record) for record in failed})
    except (BotoCoreError, ClientError):
        _LOG.exception("failed messages come late")


def _wait_s(record: Record) -> int:
    deliveries = int(record["attributes"]["ApproximateReceiveCount"])
    return int(min(_AGAIN_S * 4 ** (deliveries - 1), _LONGEST_S))
