"""Follows what the functions of a stage write."""

import time
from typing import Any

from botocore.exceptions import BotoCoreError

from chalicelib.ops.console import Failure, say
from chalicelib.ops.stages import Stage

FUNCTIONS = ("api", "tick", "check")
EVERY_S = 1.0
# Lines arrive out of order: look back this far, and skip what was shown.
LOOK_BACK_MS = 10_000
FIRST_LOOK_BACK_MS = 120_000


def follow(stage: Stage) -> None:
    """Print the functions' lines, the last two minutes first, until interrupted."""
    client = stage.client("logs")
    since = int(time.time() * 1000) - FIRST_LOOK_BACK_MS
    shown: dict[tuple[str, int, str], int] = {}
    try:
        while True:
            events = _events(client, stage, since)
            for event in sorted(events, key=lambda event: int(event["timestamp"])):
                # Not every emulator gives its lines an id.
                key = (event["logStreamName"], event["timestamp"], event["message"])
                if key not in shown:
                    shown[key] = event["timestamp"]
                    say(_line(event))
            since = int(time.time() * 1000) - LOOK_BACK_MS
            shown = {key: at for key, at in shown.items() if at >= since}
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return
    except BotoCoreError as error:
        raise Failure(f"the logs cannot be read ({error}); is the stack up?") from error


def _events(client: Any, stage: Stage, since: int) -> list[dict[str, Any]]:
    found = []
    for function in FUNCTIONS:
        group = f"/aws/lambda/{stage.stack_name}-{function}"
        try:
            pages = client.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since
            )
            found += [{**event, "function": function} for page in pages for event in page["events"]]
        except client.exceptions.ResourceNotFoundException:
            continue
    return found


def _line(event: dict[str, Any]) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(event["timestamp"] / 1000))
    return f"{clock} {event['function']:<5} {event['message'].rstrip()}"
