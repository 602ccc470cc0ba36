"""The Chalice application: the API's routes and one thin handler per event."""

import gc

# Until everything is loaded there is no garbage worth looking for among it: a start that looks for
# it all the same takes a fifth longer.
gc.disable()

import logging
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib.common import logs
from chalicelib.common.settings import Settings
from chalicelib.runtime import Runtime

logs.configure()
app = Chalice(app_name="monitum", configure_logs=False)
app.api.binary_types = []
_LOG = logging.getLogger("chalicelib")


@cache
def runtime() -> Runtime:
    """What this process works with, made at its first event."""
    return Runtime.from_env(os.environ)


if "_HANDLER" in os.environ:
    # In Lambda a setting that makes no sense ends the function before its first event.
    Settings.from_env(os.environ)

if os.environ.get("_HANDLER", "app.app") == "app.app":
    # Only the function behind the API has a door; what is behind it is loaded when it is called.
    from chalicelib.api.dispatch import attach
    from chalicelib.api.route_index import operations

    attach(app, operations(), runtime)


@app.middleware("all")
def name_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Have every line of a log say which invocation it belongs to."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    with logs.request(str(getattr(context, "aws_request_id", ""))):
        return get_response(event)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(event: CloudWatchEvent) -> dict[str, Any]:
    """Send the checks of the next minutes, of the shard that the event names or of the first."""
    from chalicelib.worker.scheduler import run_tick

    report = run_tick(runtime(), int((event.detail or {}).get("shard", 0)))
    _LOG.info("tick", extra=asdict(report))
    return {"messages": report.messages, "targets": report.targets}


# Five lanes are 250 checks: half a vCPU starts them within two seconds.
@app.on_sqs_message(queue="checks", batch_size=5)
def check(event: SQSEvent) -> dict[str, Any]:
    """Check what the messages name; those that fail are delivered again."""
    from chalicelib.worker.handler import handle_checks

    return handle_checks(runtime(), event.to_dict()["Records"])


@app.schedule(Rate(1, unit=Rate.HOURS))
def fan_out(_event: CloudWatchEvent) -> dict[str, Any]:
    """Have the hours that are over folded, lane by lane."""
    from chalicelib.history.dispatch import fan_out as run

    messages = run(runtime())
    _LOG.info("fan out", extra={"messages": messages})
    return {"messages": messages}


@app.lambda_function(name="rollup")
def rollup(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Fold hours and days of lanes, and more that nobody waits for; run again where it fails."""
    from chalicelib.history.background_handler import run_background

    report = run_background(runtime(), event)
    _LOG.info("rollup", extra=report)
    return dict(report)


@app.on_sqs_message(queue="alerts", batch_size=10)
def alert(event: SQSEvent) -> dict[str, Any]:
    """Tell of the flips in the messages; those that fail are delivered again."""
    from chalicelib.alerting.handler import handle_alerts

    return handle_alerts(runtime(), event.to_dict()["Records"])


@app.lambda_function(name="notify")
def notify(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Deliver to chat services for `alert`, which waits: their library is heavy."""
    from chalicelib.alerting.handler import handle_notices

    return handle_notices(runtime(), event["Records"])


# What is loaded stays: the collector need not look at it again.
gc.freeze()
gc.enable()
