"""Invokes the deployed functions by hand."""

import json
from concurrent.futures import ThreadPoolExecutor

from ops.console import Failure
from ops.events import schedule_event
from ops.stages import Stage


def wake(stage: Stage) -> None:
    """Run the schedule now and load the worker, so that the first target need not wait for them.

    An emulator's own schedule begins a minute after it was started.

    Raises:
        Failure: a function fails.
    """
    events = {"tick": schedule_event(), "check": {"Records": []}}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: invoke(stage, *item), events.items()))


def invoke(stage: Stage, function: str, event: dict[str, object]) -> None:
    """Have a function run for an event, and wait for it.

    Raises:
        Failure: it fails.
    """
    answer = stage.client("lambda").invoke(
        FunctionName=f"{stage.stack_name}-{function}", Payload=json.dumps(event).encode()
    )
    if "FunctionError" in answer:
        told = answer["Payload"].read().decode(errors="replace")
        raise Failure(f"the function {function} fails: {told[:2000]}")
