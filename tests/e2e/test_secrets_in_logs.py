"""The functions' logs on a running stack contain no secrets."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from ops.stages import Stage
from tests.e2e.tools import wait_for
from tests.support.leaks import leaked

_FUNCTIONS = ("api", "tick", "check", "fan-out", "rollup", "alert", "notify")
_WORDS = ("pl4nted-header", "pl4nted-p4ss", "pl4nted-path")


@pytest.fixture
def call(api_url: str, token: str) -> Callable[..., Any]:
    def call(method: str, path: str, body: object = None, **headers: str) -> Any:
        headers = {"Authorization": f"Token {token}", **headers}
        return requests.request(method, api_url + path, json=body, headers=headers, timeout=40)

    return call


def lines(stage: Stage) -> list[str]:
    """All log messages of the stage's functions."""
    client, found = stage.client("logs"), []
    for function in _FUNCTIONS:
        try:
            pages = client.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{stage.stack_name}-{function}"
            )
            found += [event["message"] for page in pages for event in page["events"]]
        except client.exceptions.ResourceNotFoundException:
            continue
    return found


def test_no_planted_secret_is_logged(stage: Stage, call: Callable[..., Any], token: str) -> None:
    guarded = {
        "name": "guarded",
        "kind": "http",
        "url": "http://us3r:pl4nted-p4ss@127.0.0.1:1/",
        "headers": {"X-Key": "pl4nted-header"},
        "interval_s": 10,
        "failure_threshold": 1,
        "tags": ["e2e-secrets"],
    }
    hook = {"name": "h", "kind": "webhook", "url": "http://127.0.0.1:1/pl4nted-path"}
    channel = call("POST", "/v1/channels", {**hook, "tags": ["e2e-secrets"]}).json()
    target = call("POST", "/v1/targets", guarded).json()
    path = f"/v1/targets/{target['id']}"
    assert call("POST", f"{path}/check").json()["verdict"] == "DOWN"
    call("POST", f"/v1/channels/{channel['id']}/test")
    call("POST", "/v1/targets", {**guarded, "interval_s": "pl4nted-header"})
    call("GET", "/v1/me", Authorization=f"Token {token}x")
    call("DELETE", path)
    call("DELETE", f"/v1/channels/{channel['id']}")
    found = wait_for("a log message", lambda: lines(stage), 30)
    assert [leaked(line) for line in found if leaked(line)] == []
    assert not [line for line in found if token in line or channel["secret"] in line]
    assert not [word for word in _WORDS if word in "".join(found)]
