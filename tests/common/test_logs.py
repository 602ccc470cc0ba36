"""Logs are JSON lines with context."""

import json
import logging

import pytest

from chalicelib.common import logs
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("restore_logging")


def test_request_is_one_line_with_its_owner(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = world.user()
    logs.configure()
    alice.get("/v1/me")
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert entry["message"] == "request"
    assert entry["level"] == "INFO"
    assert (entry["operation"], entry["status"]) == ("get_me", 200)
    assert entry["owner"] == alice.owner
    assert alice.token not in line


def test_keys_in_urls_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    error = RuntimeError("GET https://shop.example/?token=S3cretWord failed")
    logging.getLogger("chalicelib.x").error("failed", exc_info=error)
    line = capsys.readouterr().out
    assert "https://shop.example/?token=*** failed" in json.loads(line)["exc_info"]
    assert "S3cretWord" not in line


def test_internal_error_is_logged_but_not_shown(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()

    def fail(*_: object) -> None:
        raise RuntimeError("the database is on fire")

    monkeypatch.setattr("chalicelib.users.routes.used", fail)
    logs.configure()
    reply = alice.get("/v1/me")
    assert reply.status == 500
    assert "fire" not in reply.text
    assert "fire" in capsys.readouterr().out
