"""From a batch of the alerts queue to work and back: each message stands or falls alone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.domain.outbox import (
    FlipsJob,
    FlushJob,
    Job,
    UnreadableMessageError,
    read_job,
)
from chalicelib.services.outbox import flush
from chalicelib.services.runtime import Runtime
from chalicelib.store.lanes import Lanes
from chalicelib.store.tripwire import acting_for

_LOG = logging.getLogger(__name__)


def handle_alerts(runtime: Runtime, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Do what the messages in `records` ask for; answers which are to be delivered again.

    The shape is Lambda's for ReportBatchItemFailures. A message that cannot be read fails until it
    is a dead letter.
    """
    failed = [record["messageId"] for record in records if not _handled(runtime, record["body"])]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _handled(runtime: Runtime, body: str) -> bool:
    try:
        job = read_job(body)
    except UnreadableMessageError as error:
        _LOG.error("unreadable message", extra={"error": str(error)})
        return False
    try:
        with acting_for(job.owner):
            _DOERS[type(job)](runtime, job)
    except Exception:  # noqa: BLE001 - the other messages go on, this one comes again
        _LOG.exception("alert failed", extra={"owner": job.owner})
        return False
    return True


def _flush(runtime: Runtime, job: FlushJob) -> None:
    flush(runtime, Lanes(job.owner).get(job.lane))


def _flips(_runtime: Runtime, job: FlipsJob) -> None:
    for entry in job.entries:
        told = {"owner": job.owner, "target": entry.target_id, "kind": entry.flip.kind}
        _LOG.info("told", extra=told)


_DOERS: Mapping[type[Job], Callable[[Runtime, Any], None]] = {
    FlushJob: _flush,
    FlipsJob: _flips,
}
