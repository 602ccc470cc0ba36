"""The stack under test: the local one of `make up`, or the one at AWS_ENDPOINT_URL.

The stage is STAGE, or by default `localstack` if AWS_ENDPOINT_URL is set, else `local`. Each run
creates an admin with the operators' command.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ops import stages
from ops.deployment import cloudformation, functions
from ops.local import stack
from ops.stages import Stage


@pytest.fixture(scope="session")
def stage() -> Stage:
    """The deployed stage, after its functions have been invoked once."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    name = os.environ.get("STAGE") or ("localstack" if endpoint else "local")
    found = Stage(name, endpoint or stack.description()["endpoint_url"])
    if cloudformation.outputs(found):
        functions.wake(found)
        return found
    pytest.fail(
        f"no stack is deployed at {found.endpoint_url}: make up, or make deploy STAGE=localstack"
    )


@pytest.fixture(scope="session")
def api_url(stage: Stage) -> str:
    """The base URL of the API, for paths such as `/v1/me`."""
    return stages.api_base(stage, cloudformation.outputs(stage)["RestAPIId"])


@pytest.fixture(scope="session")
def token(stage: Stage) -> str:
    """The token of an admin that is created for this run."""
    return stack.create_user(stage, "end to end", admin=True)


@pytest.fixture
def call(api_url: str, token: str) -> Callable[..., Any]:
    """Calls the API; repeats the call while its function is being killed or updated."""

    def call(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {token}"}
        deadline = time.monotonic() + 60
        while True:
            response = requests.request(
                method, api_url + path, json=body, headers=headers, timeout=40
            )
            if response.status_code < 500 or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        assert response.ok, response.text
        return response.json() if response.text else None

    return call
