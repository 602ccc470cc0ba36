"""Invoke other functions of the stage, asynchronously or waiting for the result."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from botocore.config import Config
from botocore.session import get_session

CALL_TIMEOUT_S: Final = 28
"""The client's read timeout; longer than the timeout of any function that is waited for."""


class FunctionError(Exception):
    """A function that was called synchronously failed."""


class Functions:
    """The Lambda functions of a stage; `prefix` is prepended to their names."""

    def __init__(self, region: str, prefix: str) -> None:
        self._region, self._prefix = region, prefix

    def start(self, name: str, event: Mapping[str, Any]) -> None:
        """Invoke a function asynchronously; Lambda retries a failure twice."""
        self._client.invoke(
            FunctionName=f"{self._prefix}{name}",
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )

    def call(self, name: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and return its result; raises FunctionError."""
        response = self._waiting_client.invoke(
            FunctionName=f"{self._prefix}{name}", Payload=json.dumps(event).encode()
        )
        if "FunctionError" in response:
            raise FunctionError(name)
        return json.loads(response["Payload"].read())

    @cached_property
    def _client(self) -> Any:
        return self._connect(read_timeout=5, attempts=4)

    @cached_property
    def _waiting_client(self) -> Any:
        return self._connect(read_timeout=CALL_TIMEOUT_S, attempts=1)

    def _connect(self, read_timeout: int, attempts: int) -> Any:
        config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts},
        )
        return get_session().create_client("lambda", region_name=self._region, config=config)


def shard_event(shard: int) -> dict[str, Any]:
    """The event that starts `tick` for one shard, in the form of an EventBridge event."""
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
