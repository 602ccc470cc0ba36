"""Two at work on the same things: nothing is lost, nothing is made twice."""

import pytest

from tests.cli.bridge import Bridge
from tests.cli.manifests import FILE, SECRETS, apply, path, write
from tests.cli.terminal import Terminal
from tests.support.world import Person


@pytest.fixture
def shell(terminal: Terminal) -> Terminal:
    """Alice's, with the secrets in the environment and the file in place."""
    write(terminal, FILE)
    return terminal.with_env(**SECRETS)


def test_what_somebody_changes_between_plan_and_apply_is_kept(
    shell: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(shell)
    shop = alice.get("/v1/targets?q=Shop").json["items"][0]
    write(shell, FILE.replace("interval_s: 300", "interval_s: 600"))
    person = Terminal(shell.home, shell.env, tty=True)

    def answer_late() -> str:
        alice.patch(f"/v1/targets/{shop['id']}", {"timeout_s": 3})
        return "y\n"

    monkeypatch.setattr("tests.cli.terminal.Stream.readline", lambda _: answer_late())
    outcome = person.run("apply", path(shell))
    assert outcome.code == 9
    assert "'Shop' has been changed since the plan was made: apply again" in outcome.err
    now = alice.get(f"/v1/targets/{shop['id']}").json
    assert (now["interval_s"], now["timeout_s"]) == (300, 3)


def test_every_change_and_deletion_names_the_version_that_was_seen(
    shell: Terminal, bridge: Bridge
) -> None:
    apply(shell)
    bridge.asked.clear()
    write(shell, "channels: {}\ntargets:\n  Shop: {kind: http, url: 'https://shop.example'}\n")
    assert apply(shell, "--prune").code == 0
    writes = [asked for asked in bridge.asked if asked[0] in {"PATCH", "DELETE"}]
    assert len(writes) == 4
    assert all(headers.get("If-Match") for _, _, headers in writes)


def test_two_who_apply_at_once_make_one_of_each(
    shell: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Terminal(shell.home, shell.env, tty=True)

    def answer_late() -> str:
        apply(shell)
        return "y\n"

    monkeypatch.setattr("tests.cli.terminal.Stream.readline", lambda _: answer_late())
    person.run("apply", path(shell))
    assert len(alice.get("/v1/targets").json["items"]) == 2
    assert len(alice.get("/v1/channels").json["items"]) == 2
