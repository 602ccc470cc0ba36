"""Prints the logs of a stage's functions."""

import time
from typing import Any

from botocore.exceptions import BotoCoreError

from ops.console import Failure, say
from ops.stages import Stage

EVERY_S = 1.0
# Log events arrive out of order: request this much again, and skip those printed before.
LOOK_BACK_S = 10
FIRST_LOOK_BACK_S = 120
ONCE_LOOK_BACK_S = 600


def show(stage: Stage, *, follow: bool = False) -> None:
    """Print the log of the last minutes; `follow` continues until interrupted.

    Raises:
        Failure: the logs cannot be read.
    """
    client = stage.client("logs")
    since = _ago(FIRST_LOOK_BACK_S if follow else ONCE_LOOK_BACK_S)
    printed: dict[tuple[str, int, str], int] = {}
    try:
        while True:
            for event in _events(client, stage, since):
                # Some emulators return no event ids.
                key = (event["logStreamName"], event["timestamp"], event["message"])
                if key not in printed:
                    printed[key] = event["timestamp"]
                    say(_line(event))
            if not follow:
                return
            since = _ago(LOOK_BACK_S)
            printed = {key: at for key, at in printed.items() if at >= since}
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return
    except BotoCoreError as error:
        raise Failure(f"cannot read the logs ({error}); is the stack running?") from error


def _ago(seconds: int) -> int:
    """The time this many seconds ago, in milliseconds since the epoch."""
    return int(time.time() * 1000) - seconds * 1000


def _events(client: Any, stage: Stage, since: int) -> list[dict[str, Any]]:
    """The events since that time, oldest first, each with its function's name."""
    prefix = f"/aws/lambda/{stage.stack_name}-"
    groups = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    found = []
    for group in [group["logGroupName"] for page in groups for group in page["logGroups"]]:
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since
        )
        function = group.removeprefix(prefix)
        found += [{**event, "function": function} for page in pages for event in page["events"]]
    return sorted(found, key=lambda event: int(event["timestamp"]))


def _line(event: dict[str, Any]) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(event["timestamp"] / 1000))
    return f"{clock} {event['function']:<7} {event['message'].rstrip()}"
