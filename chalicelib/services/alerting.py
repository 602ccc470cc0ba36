"""From a batch of the alerts queue to work and back: each message stands or falls alone."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.domain.outbox import (
    DeliverJob,
    FlipsJob,
    FlushJob,
    Job,
    UnreadableMessageError,
    WatchdogJob,
    read_job,
)
from chalicelib.services.delivering import BusyError, deliver
from chalicelib.services.outbox import flush
from chalicelib.services.planning import plan_alerts
from chalicelib.services.runtime import Runtime
from chalicelib.services.watchdog import take_watchdog
from chalicelib.store.lanes import Lanes
from chalicelib.store.tripwire import acting_as_system, acting_for

_LOG = logging.getLogger(__name__)


def handle_alerts(runtime: Runtime, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Do what the messages in `records` ask for; answers which are to be delivered again.

    The shape is Lambda's for ReportBatchItemFailures. A message that cannot be read fails until it
    is a dead letter. What talks to receivers comes last and side by side: none waits for another.
    """
    jobs = [(record["messageId"], _read(record["body"])) for record in records]
    failed = [message for message, job in jobs if job is None]
    known = [(message, job) for message, job in jobs if job]
    inside = [(message, job) for message, job in known if not isinstance(job, DeliverJob)]
    outside = [(message, job) for message, job in known if isinstance(job, DeliverJob)]
    failed += [message for message, job in inside if not _done(runtime, job)]
    if outside:
        with ThreadPoolExecutor(len(outside), thread_name_prefix="deliver") as threads:
            done = threads.map(lambda one: (one[0], _done(runtime, one[1])), outside)
            failed += [message for message, is_done in done if not is_done]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _read(body: str) -> Job | None:
    try:
        return read_job(body)
    except UnreadableMessageError as error:
        _LOG.error("unreadable message", extra={"error": str(error)})
        return None


def _done(runtime: Runtime, job: Job) -> bool:
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


def _do(runtime: Runtime, job: FlipsJob | FlushJob | DeliverJob) -> None:
    if isinstance(job, FlipsJob):
        plan_alerts(runtime, job)
    elif isinstance(job, FlushJob):
        flush(runtime, Lanes(job.owner).get(job.lane))
    else:
        deliver(runtime, job)
