"""Logging in: where the token comes from, where it stays, and where it never goes."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.bridge import Bridge
from tests.cli.terminal import Terminal
from tests.support.world import Person


@pytest.fixture
def stranger(tmp_path: Path) -> Terminal:
    """Somebody who never logged in."""
    return Terminal(tmp_path)


def login_file(terminal: Terminal) -> Path:
    return terminal.home / ".config" / "monitum" / "login.json"


def test_without_a_login_it_says_how(stranger: Terminal) -> None:
    outcome = stranger.run("targets", "ls")
    assert (outcome.code, outcome.out) == (3, "")
    assert (
        outcome.err == "error: not logged in: monitum login, or set MONITUM_URL and MONITUM_TOKEN\n"
    )


def test_a_token_from_standard_input_is_tried_and_stored(
    stranger: Terminal, bridge: Bridge, alice: Person
) -> None:
    outcome = stranger.ok("login", "--url", f"{bridge.url}/", typed=f"{alice.token}\n")
    assert f"logged in as alice at {bridge.url}" in outcome.out
    assert alice.token not in outcome.out + outcome.err
    assert stat.S_IMODE(login_file(stranger).stat().st_mode) == 0o600
    assert "alice" in stranger.ok("whoami").out
    assert stranger.ok("whoami", "--json").json == alice.get("/v1/me").json
    assert stranger.ok("logout").out == "logged out\n"
    assert stranger.run("whoami").code == 3
    assert stranger.ok("logout").out == "no login was stored\n"


@pytest.mark.parametrize("typed", ["mon_wrong\n", "", "two words\n", "tököne\n", "\x1b[31m\n"])
def test_a_token_that_does_not_work_is_not_stored(
    stranger: Terminal, bridge: Bridge, typed: str
) -> None:
    outcome = stranger.run("login", "--url", bridge.url, typed=typed)
    assert outcome.code in {2, 3}
    assert not login_file(stranger).exists()
    assert "wrong" not in outcome.err


def test_there_is_no_argument_for_a_token(stranger: Terminal, bridge: Bridge) -> None:
    assert stranger.run("login", "--url", bridge.url, "--token", "x").code == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://monitum.example", "ftp://x", "x", "https://", "https://me:pw@x.example",
        "https://x.example/?a=b", "https://x.example/#a", "https://[::1", "https://x:99999",
    ],
)  # fmt: skip
def test_an_address_to_which_no_token_should_go_is_refused(stranger: Terminal, url: str) -> None:
    outcome = stranger.run("login", "--url", url, typed="mon_x\n")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_a_login_that_others_can_read_is_refused(
    stranger: Terminal, bridge: Bridge, alice: Person
) -> None:
    stranger.ok("login", "--url", bridge.url, typed=alice.token)
    login_file(stranger).chmod(0o644)
    outcome = stranger.run("whoami")
    assert outcome.code == 3
    assert f"chmod 600 {login_file(stranger)}" in outcome.err


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"url": 7, "token": null}', "\x00"])
def test_a_broken_login_is_told(stranger: Terminal, content: str) -> None:
    login_file(stranger).parent.mkdir(parents=True)
    login_file(stranger).write_text(content, encoding="utf-8")
    login_file(stranger).chmod(0o600)
    assert stranger.run("whoami").code == 3


def test_the_environment_comes_first_and_then_the_stored_login(
    stranger: Terminal, bridge: Bridge, alice: Person, bob: Person
) -> None:
    stranger.ok("login", "--url", bridge.url, typed=alice.token)
    as_bob = stranger.logged_in(bridge.url, bob.token)
    assert as_bob.ok("whoami", "--json").json["name"] == "bob"
    assert stranger.ok("whoami", "--json").json["name"] == "alice"


def test_a_stored_token_goes_to_no_other_address(
    stranger: Terminal, bridge: Bridge, alice: Person
) -> None:
    stranger.ok("login", "--url", bridge.url, typed=alice.token)
    bridge.asked.clear()
    elsewhere = stranger.with_env(MONITUM_URL=bridge.url.replace("127.0.0.1", "localhost"))
    assert elsewhere.run("whoami").code == 3
    assert stranger.with_env(MONITUM_TOKEN="x").run("whoami").code == 3
    assert bridge.asked == []
    assert stranger.with_env(MONITUM_URL=bridge.url).run("whoami").code == 0


def test_a_password_of_netrc_does_not_take_the_tokens_place(
    stranger: Terminal, bridge: Bridge, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stranger.home / ".netrc").write_text("machine 127.0.0.1 login x password y\n", "utf-8")
    monkeypatch.setenv("NETRC", str(stranger.home / ".netrc"))
    assert stranger.logged_in(bridge.url, alice.token).run("whoami").code == 0


@pytest.mark.parametrize(("url", "code"), [("{}", 0), ("https://evil.example/api", 3)])
def test_in_the_repository_the_local_stack_is_the_login_but_only_on_this_machine(
    stranger: Terminal, bridge: Bridge, alice: Person, url: str, code: int
) -> None:
    (stranger.home / ".chalice").mkdir()
    (stranger.home / ".local").mkdir()
    content = {"api_url": url.format(bridge.url), "token": alice.token}
    (stranger.home / ".local" / "stack.json").write_text(json.dumps(content), encoding="utf-8")
    outcome = stranger.run("whoami")
    assert outcome.code == code
    if code == 0:
        assert "the local stack" in outcome.out
