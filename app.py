"""The Chalice application: the routes of the API and one thin handler per event."""

import gc

# Imports create no garbage worth collecting; collecting during them makes a cold start 20 % longer.
gc.disable()

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

# urllib3 would load these for encodings that AWS does not use; the checks that need them do later.
_HIDDEN = [name for name in ("brotli", "backports") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_HIDDEN))  # type: ignore[arg-type]  # None hides a module

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib.common import logs
from chalicelib.common.settings import Settings
from chalicelib.runtime import Runtime

for _name in _HIDDEN:
    del sys.modules[_name]

logs.configure()
app = Chalice(app_name="monitum", configure_logs=False)
app.api.binary_types = []
_LOG = logging.getLogger("chalicelib")


@cache
def runtime() -> Runtime:
    """The settings and clients of this process, created at its first event."""
    return Runtime.from_env(os.environ)


if "_HANDLER" in os.environ:
    # In Lambda, an invalid setting ends the function before its first event.
    Settings.from_env(os.environ)

if os.environ.get("_HANDLER", "app.app") == "app.app":
    # Only the API function has routes; each route's module is loaded at its first request.
    from chalicelib.api.dispatch import attach
    from chalicelib.api.route_index import operations

    attach(app, operations(), runtime)


@app.middleware("all")
def name_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Add the request id of the invocation to every log line."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    with logs.request(str(getattr(context, "aws_request_id", ""))):
        return get_response(event)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(event: CloudWatchEvent) -> dict[str, Any]:
    """Send the checks of the next minutes, for the event's shard or the first."""
    from chalicelib.worker.scheduler import run_tick

    report = run_tick(runtime(), int((event.detail or {}).get("shard", 0)))
    _LOG.info("tick", extra=asdict(report))
    return {"messages": report.messages, "targets": report.targets}


# Five lanes are up to 250 checks, which half a vCPU starts within two seconds.
@app.on_sqs_message(queue="checks", batch_size=5)
def check(event: SQSEvent) -> dict[str, Any]:
    """Check the targets in the messages; failed messages are delivered again."""
    from chalicelib.worker.handler import handle_checks

    return handle_checks(runtime(), event.to_dict()["Records"])


@app.schedule(Rate(1, unit=Rate.HOURS))
def fan_out(_event: CloudWatchEvent) -> dict[str, Any]:
    """Start the rollups of the hours that are over, and overdue deliveries."""
    from chalicelib.alerting.overdue import send_overdue
    from chalicelib.history.dispatch import fan_out as run

    try:
        messages = run(runtime())
    finally:
        overdue = send_overdue(runtime())
    _LOG.info("fan out", extra={"messages": messages, "overdue": overdue})
    return {"messages": messages, "overdue": overdue}


@app.lambda_function(name="rollup")
def rollup(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Roll up hours and days of lanes, and run other background jobs; retried on failure."""
    from chalicelib.history.background_handler import run_background

    report = run_background(runtime(), event)
    _LOG.info("rollup", extra=report)
    return dict(report)


@app.on_sqs_message(queue="alerts", batch_size=10)
def alert(event: SQSEvent) -> dict[str, Any]:
    """Notify of the flips in the messages; failed messages are delivered again."""
    from chalicelib.alerting.handler import handle_alerts

    return handle_alerts(runtime(), event.to_dict()["Records"])


@app.lambda_function(name="notify")
def notify(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Deliver to chat services for `alert`, which waits; separate, as their library is large."""
    from chalicelib.alerting.handler import handle_notices

    return handle_notices(runtime(), event["Records"])


# Loaded modules are never garbage, so the collector skips them from here on.
gc.freeze()
gc.enable()
