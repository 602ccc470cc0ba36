"""Concurrent changes to the same resources: nothing is lost or created twice."""

import pytest

from tests.cli.api_server import ApiServer
from tests.cli.manifests import FILE, SECRETS, apply, path, write
from tests.cli.terminal import Terminal
from tests.world import Person


@pytest.fixture
def shell(terminal: Terminal) -> Terminal:
    """Alice's shell, with the secrets in the environment and the manifest written."""
    write(terminal, FILE)
    return terminal.with_env(**SECRETS)


def test_change_between_plan_and_apply_is_kept(
    shell: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(shell)
    shop = alice.get("/v1/targets?q=Shop").json["items"][0]
    write(shell, FILE.replace("interval_s: 300", "interval_s: 600"))
    person = Terminal(shell.home, shell.env, tty=True)

    def confirm_late() -> str:
        alice.patch(f"/v1/targets/{shop['id']}", {"timeout_s": 3})
        return "y\n"

    monkeypatch.setattr("tests.cli.terminal.Stream.readline", lambda _: confirm_late())
    outcome = person.run("apply", path(shell))
    assert outcome.code == 9
    assert "'Shop' has been changed since the plan was made: apply again" in outcome.err
    now = alice.get(f"/v1/targets/{shop['id']}").json
    assert (now["interval_s"], now["timeout_s"]) == (300, 3)


def test_every_change_and_deletion_sends_if_match(shell: Terminal, api_server: ApiServer) -> None:
    apply(shell)
    api_server.requests.clear()
    write(shell, "channels: {}\ntargets:\n  Shop: {kind: http, url: 'https://shop.example'}\n")
    assert apply(shell, "--prune").code == 0
    writes = [request for request in api_server.requests if request[0] in {"PATCH", "DELETE"}]
    assert len(writes) == 4
    assert all(headers.get("If-Match") for _, _, headers in writes)


def test_applying_concurrently_creates_each_resource_once(
    shell: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Terminal(shell.home, shell.env, tty=True)

    def confirm_late() -> str:
        apply(shell)
        return "y\n"

    monkeypatch.setattr("tests.cli.terminal.Stream.readline", lambda _: confirm_late())
    person.run("apply", path(shell))
    assert len(alice.get("/v1/targets").json["items"]) == 2
    assert len(alice.get("/v1/channels").json["items"]) == 2
