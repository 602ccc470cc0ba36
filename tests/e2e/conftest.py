"""The stack under test: the local one of `make up`, or whatever AWS_ENDPOINT_URL names.

At an endpoint of one's own the stage is `localstack`, or `local` where only that is deployed; STAGE
names another. The user is made for the run, by the command that operators use.
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
    """The stage that is deployed there, its functions awake."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or stack.description()["endpoint_url"]
    names = [os.environ["STAGE"]] if os.environ.get("STAGE") else ["localstack", "local"]
    for name in names:
        found = Stage(name, endpoint)
        if cloudformation.outputs(found):
            functions.wake(found)
            return found
    pytest.fail(f"no stack is deployed at {endpoint}: make up, or make deploy STAGE=localstack")


@pytest.fixture(scope="session")
def api_url(stage: Stage) -> str:
    """What paths such as `/v1/me` are appended to."""
    return stages.api_base(stage, cloudformation.outputs(stage)["RestAPIId"])


@pytest.fixture(scope="session")
def token(stage: Stage) -> str:
    """The token of a user of this run's own, who is an admin."""
    return stack.create_user(stage, "end to end", admin=True)


@pytest.fixture
def call(api_url: str, token: str) -> Callable[..., Any]:
    """Calls the API, again where the function that answers is being killed or changed."""

    def call(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {token}"}
        give_up = time.monotonic() + 60
        while True:
            answer = requests.request(
                method, api_url + path, json=body, headers=headers, timeout=40
            )
            if answer.status_code < 500 or time.monotonic() > give_up:
                break
            time.sleep(0.5)
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    return call
