"""From a batch of SQS records to work and back: each message stands or falls alone."""

import logging
from collections.abc import Sequence
from typing import Any

from chalicelib.domain.jobs import CheckJob, UnreadableJobError
from chalicelib.services.checking import run_checks
from chalicelib.services.runtime import Runtime

_LOG = logging.getLogger(__name__)
Records = Sequence[dict[str, Any]]


def handle_checks(runtime: Runtime, records: Records) -> dict[str, Any]:
    """Run the check jobs in `records`; answers which are to be delivered again.

    The shape is Lambda's for ReportBatchItemFailures. A message that cannot be read fails until it
    is a dead letter.
    """
    failed: list[str] = []
    jobs: list[tuple[str, CheckJob]] = []
    for record in records:
        try:
            jobs.append((record["messageId"], CheckJob.from_json(record["body"])))
        except UnreadableJobError as error:
            _LOG.error("unreadable message", extra={"error": str(error)})
            failed.append(record["messageId"])
    if jobs:
        report = run_checks(runtime, [job for _, job in jobs])
        failed += [jobs[number][0] for number in report.failed]
        _LOG.info(
            "checked", extra={"verdicts": dict(report.verdicts), "skipped": dict(report.skipped)}
        )
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
