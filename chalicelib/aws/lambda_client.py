"""Having other functions of the stage run: without waiting for them, or for their answer."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from botocore.config import Config
from botocore.session import get_session

CALL_TIMEOUT_S: Final = 28
"""Longer than a function that is waited for may take."""


class FunctionError(Exception):
    """A function that was waited for failed."""


class Functions:
    """The functions of a stage, as Lambda has them; their names begin with `prefix`."""

    def __init__(self, region: str, prefix: str) -> None:
        self._region, self._prefix = region, prefix

    def start(self, name: str, event: Mapping[str, Any]) -> None:
        """Have a function run once for the event; Lambda tries a failing one twice more."""
        self._client.invoke(
            FunctionName=f"{self._prefix}{name}",
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )

    def call(self, name: str, event: Mapping[str, Any]) -> Any:
        """What a function answers to the event; raises FunctionError."""
        answer = self._patient_client.invoke(
            FunctionName=f"{self._prefix}{name}", Payload=json.dumps(event).encode()
        )
        if "FunctionError" in answer:
            raise FunctionError(name)
        return json.loads(answer["Payload"].read())

    @cached_property
    def _client(self) -> Any:
        return self._connect(read_timeout=5, attempts=4)

    @cached_property
    def _patient_client(self) -> Any:
        return self._connect(read_timeout=CALL_TIMEOUT_S, attempts=1)

    def _connect(self, read_timeout: int, attempts: int) -> Any:
        config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts},
        )
        return get_session().create_client("lambda", region_name=self._region, config=config)


def shard_event(shard: int) -> dict[str, Any]:
    """The schedule's event for one shard, of the form that EventBridge gives its own."""
    return {
        "version": "0",
        "id": "",
        "detail-type": "Shard",
        "source": "monitum",
        "account": "",
        "time": "",
        "region": "",
        "resources": [],
        "detail": {"shard": shard},
    }
