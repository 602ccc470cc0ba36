"""Channels, incidents, tokens, users and statistics on the command line."""

import pytest

from tests.cli.api_server import ApiServer
from tests.cli.terminal import Terminal
from tests.support.world import DOWN, Person

HOOK = "https://example.com/hooks/monitum"
CHAT = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts"


def test_channel_is_created_tested_and_deleted(terminal: Terminal, alice: Person) -> None:
    printed = terminal.ok("channels", "add", "Hook", "--webhook", HOOK, "--tag", "prod").out
    assert "Signing secret (shown only once): whsec_" in printed
    assert HOOK in terminal.ok("channels", "ls").out
    shown = terminal.ok("channels", "show", "Hook").out
    assert "whsec_" not in shown
    assert "prod" in shown
    assert "Test alert queued" in terminal.ok("channels", "test", "Hook").out
    alice.world.run_alerts(1)
    assert " sent " in terminal.ok("channels", "deliveries", "Hook").out
    secret = terminal.ok("channels", "rotate-secret", "Hook", "--yes").out
    assert secret.startswith("Signing secret (shown only once): whsec_")
    assert terminal.run("channels", "rotate-secret", "Hook", "--yes").code == 5
    terminal.ok("channels", "rm", "Hook", "--yes")
    assert terminal.ok("channels", "ls", "--json").json["items"] == []


def test_email_channel_is_confirmed(terminal: Terminal) -> None:
    printed = terminal.ok("channels", "add", "Mail", "--email", "ops@shop.example").out
    assert "Alerts start once the link sent to ops@shop.example is opened" in printed
    assert "not confirmed" in terminal.ok("channels", "ls").out
    assert (
        "Confirmation link sent to ops@shop.example"
        in terminal.ok("channels", "confirm", "Mail").out
    )


def test_disabled_channel_is_shown_and_enabled(terminal: Terminal, alice: Person) -> None:
    terminal.ok("channels", "add", "Hook", "--webhook", HOOK)
    alice.world.outbound.script[HOOK] = 410
    terminal.ok("channels", "test", "Hook")
    alice.world.run_alerts(1)
    assert " disabled " in terminal.ok("channels", "ls").out
    assert "responded with 410 (Gone)" in terminal.ok("channels", "show", "Hook").out
    assert terminal.ok("channels", "enable", "Hook").out == "Enabled channel Hook\n"
    assert " enabled " in terminal.ok("channels", "ls").out


def test_chat_service_url_is_prompted_for_and_never_shown(terminal: Terminal) -> None:
    created = terminal.ok("channels", "add", "Chat", "--apprise", "--event", "down", typed=CHAT)
    shown = terminal.ok("channels", "show", "Chat", "--json")
    assert shown.json["url"] == "slack://***"
    assert shown.json["events"] == ["down"]
    assert CHAT not in created.out + created.err
    assert terminal.run("channels", "add", "Chat", "--apprise", CHAT).code == 2


@pytest.mark.parametrize("given", [[], ["--webhook", HOOK, "--email", "a@b.example"]])
def test_channel_requires_exactly_one_destination(terminal: Terminal, given: list[str]) -> None:
    assert terminal.run("channels", "add", "x", *given).code == 2


def test_incident_is_listed_shown_and_acknowledged(terminal: Terminal, alice: Person) -> None:
    target = alice.make_target(name="Shop")
    alice.world.run(60)
    alice.world.checker.script[target["id"]] = DOWN
    alice.world.run(300)
    alice.world.run_alerts()
    listed = terminal.ok("incidents", "ls", "--open", "--json").json["items"]
    (incident,) = listed
    assert "Shop" in terminal.ok("incidents", "ls", "--target", "Shop").out
    assert terminal.ok("incidents", "ls", "--status", "closed", "--json").json["items"] == []
    assert terminal.ok("incidents", "ls", "--tag", "none", "--json").json["items"] == []
    prefix = incident["id"][:18]
    printed = terminal.ok("incidents", "ack", prefix, "--note", "looking into it").out
    assert printed == "Shop: acknowledged by alice (first token)\n"
    shown = terminal.ok("incidents", "show", prefix).out
    assert "looking into it" in shown
    assert "got 503" in shown
    assert terminal.ok("incidents", "show", incident["id"], "--json").json["timeline"]
    assert terminal.run("incidents", "show", "Shop").code == 4


def test_statistics_of_a_target_a_tag_and_a_month(terminal: Terminal, alice: Person) -> None:
    alice.make_target(name="Shop", tags=["prod"])
    alice.world.run(600)
    for arguments in (["Shop"], [], ["--tag", "prod", "--window", "1h"]):
        assert "100.000 %" in terminal.ok("stats", *arguments).out
    assert terminal.ok("stats", "Shop", "--json").json["uptime_ratio"] == 1
    assert "Shop" in terminal.ok("stats", "--month", "2026-11").out
    assert terminal.run("stats", "Shop", "--tag", "prod").code == 2
    assert terminal.run("stats", "--month", "2026-13").code == 6
    assert terminal.run("stats", "--from", "yesterday").code == 6


def test_target_without_checks_has_no_uptime(terminal: Terminal, alice: Person) -> None:
    alice.make_target(name="New")
    assert "100" not in terminal.ok("stats", "New").out


def test_token_is_shown_once_and_revoked(terminal: Terminal, api_server: ApiServer) -> None:
    created = terminal.ok("tokens", "add", "ci", "--scope", "read", "--expires", "90d")
    token = created.out.strip()
    assert token.startswith("mon_")
    assert token not in created.err
    script = terminal.logged_in(api_server.url, token)
    script.ok("targets", "ls")
    assert script.run("targets", "add", "x", "--url", "https://x.example/").code == 3
    listed = terminal.ok("tokens", "ls").out
    assert "ci" in listed
    assert token not in listed
    assert terminal.run("tokens", "rm", token, "--yes").code == 2
    terminal.ok("tokens", "rm", "ci", "--yes")
    assert script.run("targets", "ls").code == 3


def test_only_admins_manage_users(terminal: Terminal, api_server: ApiServer, bob: Person) -> None:
    assert terminal.run("users", "ls").code == 3
    admin = terminal.logged_in(api_server.url, bob.token)
    token = admin.ok("users", "add", "carol").out.strip()
    carol = terminal.logged_in(api_server.url, token)
    carol.ok("targets", "ls")
    assert "carol" in admin.ok("users", "ls").out
    admin.ok("users", "disable", "carol", "--yes")
    assert carol.run("targets", "ls").code == 3
    assert admin.ok("users", "enable", "carol", "--json").json["disabled"] is False
    carol.ok("targets", "ls")


def test_channel_is_changed(terminal: Terminal, alice: Person) -> None:
    terminal.ok("channels", "add", "Hook", "--webhook", HOOK)
    changed = ["--name", "Pager", "--event", "down", "--delay", "60", "--tag", "prod"]
    assert terminal.ok("channels", "change", "Hook", *changed).out == "Updated channel Pager\n"
    (channel,) = alice.get("/v1/channels").json["items"]
    fields = (channel["name"], channel["events"], channel["delay_s"], channel["tags"])
    assert fields == ("Pager", ["down"], 60, ["prod"])
    assert terminal.run("channels", "change", "Pager").code == 2


def test_limits_of_a_user(terminal: Terminal, api_server: ApiServer, bob: Person) -> None:
    admin = terminal.logged_in(api_server.url, bob.token)
    admin.ok("users", "add", "dave")
    assert "the installation's" in admin.ok("users", "show", "dave").out
    printed = admin.ok("users", "limit", "dave", "targets=5", "rate_per_minute=600").out
    assert printed == "dave: rate_per_minute 600, targets 5\n"
    assert admin.ok("users", "show", "dave", "--json").json["limits"]["targets"] == 5
    assert admin.run("users", "limit", "dave", "targets=many").code == 2
    assert admin.run("users", "limit", "dave", "tarts=5").code == 6
    assert admin.ok("users", "limit", "dave").out == "dave: default limits\n"


@pytest.mark.parametrize(
    ("noun", "options"),
    [
        ("targets", ["--url", "https://shop.example/"]),
        ("channels", ["--webhook", HOOK]),
        ("maintenance", ["--tag", "prod", "--for", "2h"]),
        ("tokens", []),
    ],
)
def test_deletion_as_json(terminal: Terminal, noun: str, options: list[str]) -> None:
    identifier = terminal.ok(noun, "add", "Shop", *options, "--json").json["id"]
    verb = "revoked" if noun == "tokens" else "deleted"
    deleted = terminal.ok(noun, "rm", "Shop", "--yes", "--json").json
    assert deleted == {"id": identifier, "name": "Shop", verb: True}
