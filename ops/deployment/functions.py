"""Invokes deployed functions directly."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ops.console import Failure
from ops.stages import Stage


def schedule_event() -> dict[str, Any]:
    """The event that EventBridge sends for a schedule, with the current time."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [],
        "detail": {},
    }


def wake(stage: Stage) -> None:
    """Run the scheduler once and load the worker, so that a first target is checked at once.

    An emulator's schedule starts a minute after the emulator.

    Raises:
        Failure: a function fails.
    """
    events = {"tick": schedule_event(), "check": {"Records": []}}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: invoke(stage, *item), events.items()))


def invoke(stage: Stage, function: str, event: dict[str, object]) -> None:
    """Invoke a function with an event and wait for it.

    Raises:
        Failure: the function fails.
    """
    response = stage.client("lambda").invoke(
        FunctionName=f"{stage.stack_name}-{function}", Payload=json.dumps(event).encode()
    )
    if "FunctionError" in response:
        payload = response["Payload"].read().decode(errors="replace")
        raise Failure(f"the function {function} failed: {payload[:2000]}")
