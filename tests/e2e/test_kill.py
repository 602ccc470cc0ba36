"""The local stack keeps its data when it is killed: `python -m benchmarks.kills` kills it often."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ops import ROOT, stages
from ops.local.saver import EVERY_S
from ops.stages import Stage

TARGET = {"name": "T", "kind": "tcp", "host": "127.0.0.1", "port": 9, "interval_s": 86_400}


def test_what_was_acknowledged_15_seconds_before_a_kill_is_kept(
    stage: Stage, api_url: str, token: str, call: Callable[..., Any]
) -> None:
    if stage.name != "local":
        pytest.fail("this test needs the stack of make up")
    kept, deleted = (call("POST", "/v1/targets", TARGET)["id"] for _ in range(2))
    user = call("POST", "/v1/users", {"name": "kept"})["token"]
    revoked = call("POST", "/v1/tokens", {"name": "revoked"})
    time.sleep(EVERY_S)
    call("DELETE", f"/v1/targets/{deleted}")
    call("DELETE", f"/v1/tokens/{revoked['id']}")
    time.sleep(15)

    pid_file = stages.local_directory() / "ministack.pid"
    os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
    # In a process of its own, so that the emulator is not a child of the tests.
    start = "from ops.local import emulator; emulator.start()"
    subprocess.run([sys.executable, "-c", start], check=True, cwd=ROOT)

    def status(path: str, token: str) -> int:
        headers = {"Authorization": f"Token {token}"}
        return requests.get(api_url + path, headers=headers, timeout=40).status_code

    assert call("GET", f"/v1/targets/{kept}")["id"] == kept
    assert status(f"/v1/targets/{deleted}", token) == 404
    assert status("/v1/me", user) == 200
    assert status("/v1/me", revoked["token"]) == 401
    call("DELETE", f"/v1/targets/{kept}")
