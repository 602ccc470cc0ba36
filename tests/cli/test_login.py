"""Logging in: sources of the token, its storage, and where it must never be sent."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.api_server import ApiServer
from tests.cli.terminal import Terminal
from tests.support.world import Person


@pytest.fixture
def stranger(tmp_path: Path) -> Terminal:
    """Somebody who never logged in."""
    return Terminal(tmp_path)


def login_file(terminal: Terminal) -> Path:
    return terminal.home / ".config" / "monitum" / "login.json"


def test_without_a_login_the_error_says_how_to_log_in(stranger: Terminal) -> None:
    outcome = stranger.run("targets", "ls")
    assert (outcome.code, outcome.out) == (3, "")
    assert (
        outcome.err
        == "error: not logged in: run `monitum login`, or set MONITUM_URL and MONITUM_TOKEN\n"
    )


def test_token_from_standard_input_is_verified_and_stored(
    stranger: Terminal, api_server: ApiServer, alice: Person
) -> None:
    outcome = stranger.ok("login", "--url", f"{api_server.url}/", typed=f"{alice.token}\n")
    assert f"Logged in as alice at {api_server.url}" in outcome.out
    assert alice.token not in outcome.out + outcome.err
    assert stat.S_IMODE(login_file(stranger).stat().st_mode) == 0o600
    assert "alice" in stranger.ok("whoami").out
    assert stranger.ok("whoami", "--json").json == alice.get("/v1/me").json
    assert stranger.ok("logout").out == "Logged out\n"
    assert stranger.run("whoami").code == 3
    assert stranger.ok("logout").out == "No stored login\n"


@pytest.mark.parametrize("typed", ["mon_wrong\n", "", "two words\n", "tököne\n", "\x1b[31m\n"])
def test_invalid_token_is_not_stored(stranger: Terminal, api_server: ApiServer, typed: str) -> None:
    outcome = stranger.run("login", "--url", api_server.url, typed=typed)
    assert outcome.code in {2, 3}
    assert not login_file(stranger).exists()
    assert "wrong" not in outcome.err


def test_token_is_not_accepted_as_an_argument(stranger: Terminal, api_server: ApiServer) -> None:
    assert stranger.run("login", "--url", api_server.url, "--token", "x").code == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://monitum.example", "ftp://x", "x", "https://", "https://me:pw@x.example",
        "https://x.example/?a=b", "https://x.example/#a", "https://[::1", "https://x:99999",
    ],
)  # fmt: skip
def test_unsafe_url_is_rejected(stranger: Terminal, url: str) -> None:
    outcome = stranger.run("login", "--url", url, typed="mon_x\n")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_login_readable_by_others_is_rejected(
    stranger: Terminal, api_server: ApiServer, alice: Person
) -> None:
    stranger.ok("login", "--url", api_server.url, typed=alice.token)
    login_file(stranger).chmod(0o644)
    outcome = stranger.run("whoami")
    assert outcome.code == 3
    assert f"chmod 600 {login_file(stranger)}" in outcome.err


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"url": 7, "token": null}', "\x00"])
def test_broken_login_is_reported(stranger: Terminal, content: str) -> None:
    login_file(stranger).parent.mkdir(parents=True)
    login_file(stranger).write_text(content, encoding="utf-8")
    login_file(stranger).chmod(0o600)
    assert stranger.run("whoami").code == 3


def test_environment_takes_precedence_over_the_stored_login(
    stranger: Terminal, api_server: ApiServer, alice: Person, bob: Person
) -> None:
    stranger.ok("login", "--url", api_server.url, typed=alice.token)
    as_bob = stranger.logged_in(api_server.url, bob.token)
    assert as_bob.ok("whoami", "--json").json["name"] == "bob"
    assert stranger.ok("whoami", "--json").json["name"] == "alice"


def test_stored_token_is_only_sent_to_its_own_url(
    stranger: Terminal, api_server: ApiServer, alice: Person
) -> None:
    stranger.ok("login", "--url", api_server.url, typed=alice.token)
    api_server.requests.clear()
    elsewhere = stranger.with_env(MONITUM_URL=api_server.url.replace("127.0.0.1", "localhost"))
    assert elsewhere.run("whoami").code == 3
    assert stranger.with_env(MONITUM_TOKEN="x").run("whoami").code == 3
    assert api_server.requests == []
    assert stranger.with_env(MONITUM_URL=api_server.url).run("whoami").code == 0


def test_netrc_does_not_replace_the_token(
    stranger: Terminal, api_server: ApiServer, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stranger.home / ".netrc").write_text("machine 127.0.0.1 login x password y\n", "utf-8")
    monkeypatch.setenv("NETRC", str(stranger.home / ".netrc"))
    assert stranger.logged_in(api_server.url, alice.token).run("whoami").code == 0


@pytest.mark.parametrize(("url", "code"), [("{}", 0), ("https://evil.example/api", 3)])
def test_local_stack_is_used_inside_a_checkout_but_only_on_loopback(
    stranger: Terminal, api_server: ApiServer, alice: Person, url: str, code: int
) -> None:
    (stranger.home / ".chalice").mkdir()
    (stranger.home / ".local").mkdir()
    content = {"api_url": url.format(api_server.url), "token": alice.token}
    (stranger.home / ".local" / "stack.json").write_text(json.dumps(content), encoding="utf-8")
    outcome = stranger.run("whoami")
    assert outcome.code == code
    if code == 0:
        assert "the local stack" in outcome.out
