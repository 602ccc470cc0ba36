"""Targets on the command line."""

import pytest

from tests.cli.api_server import ApiServer
from tests.cli.terminal import Terminal
from tests.support.world import DOWN, Person, World


@pytest.fixture
def checked_at_once(world: World, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute requested checks immediately instead of with the next delivery."""
    send = world.queue.send

    def send_and_deliver(sent: object) -> None:
        send(sent)  # type: ignore[arg-type]
        world.deliver()

    monkeypatch.setattr(world.queue, "send", send_and_deliver)


def test_target_is_created_shown_paused_resumed_and_deleted(terminal: Terminal) -> None:
    assert terminal.ok("targets", "ls").out.split() == [
        "NAME", "STATUS", "SINCE", "RESPONSE", "EVERY", "ADDRESS", "ID",
    ]  # fmt: skip
    url = "https://shop.example/"
    assert "Created target Shop: " in terminal.ok("targets", "add", "Shop", "--url", url).out
    assert url in terminal.ok("targets", "ls").out
    assert "PENDING" in terminal.ok("targets", "show", "Shop").out
    assert terminal.ok("targets", "pause", "Shop").out == "Shop: PAUSED\n"
    assert terminal.ok("targets", "resume", "Shop").out == "Shop: PENDING\n"
    assert terminal.ok("targets", "rm", "Shop", "--yes").out == "Deleted target Shop\n"
    assert terminal.ok("targets", "ls", "--json").json["items"] == []


def test_json_is_the_apis(terminal: Terminal, alice: Person) -> None:
    created = terminal.ok(
        "targets", "add", "Mail", "--kind", "tcp", "--host", "mail.example", "--port", "993",
        "--interval", "300", "--tag", "prod", "--set", 'expect.body_contains=* OK', "--json",
    ).json  # fmt: skip
    assert created == alice.get(f"/v1/targets/{created['id']}").json
    assert created["expect"]["body_contains"] == "* OK"
    assert terminal.ok("targets", "show", "Mail", "--json").json == created
    assert terminal.ok("targets", "ls", "--json").json == alice.get("/v1/targets").json


def test_filters(terminal: Terminal, alice: Person) -> None:
    for name, tag in (("Shop", "prod"), ("Blog", "test")):
        alice.make_target(name=name, tags=[tag])
    assert "Shop" in (listed := terminal.ok("targets", "ls", "--tag", "prod").out)
    assert "Blog" not in listed
    assert "Blog" in terminal.ok("targets", "ls", "-q", "lo").out
    assert "Blog" not in terminal.ok("targets", "ls", "--paused").out


def test_target_is_found_by_id_prefix_and_name(terminal: Terminal, alice: Person) -> None:
    target = alice.make_target(name="Shop")
    for given in (target["id"], target["id"][:18], "Shop"):
        assert terminal.ok("targets", "show", given, "--json").json["id"] == target["id"]


def test_name_takes_precedence_over_prefix(terminal: Terminal, alice: Person) -> None:
    first = alice.make_target(name="Shop")
    named = alice.make_target(name=first["id"][:8])
    assert terminal.ok("targets", "show", first["id"][:8], "--json").json["id"] == named["id"]


def test_ambiguous_reference_is_rejected_with_the_ids(terminal: Terminal, alice: Person) -> None:
    ids = [alice.make_target(name="Shop")["id"] for _ in range(2)]
    for given in ("Shop", ids[0][:8]):
        outcome = terminal.run("targets", "rm", given, "--yes")
        assert outcome.code == 4
        assert all(one in outcome.err for one in ids)
    assert len(alice.get("/v1/targets").json["items"]) == 2


def test_missing_and_foreign_targets_have_the_same_error(terminal: Terminal, bob: Person) -> None:
    theirs = bob.make_target(name="Secret")
    for given in (theirs["id"], theirs["id"][:18], "Secret", "nothing", "--", ""):
        outcome = terminal.run("targets", "show", "--", given)
        assert (outcome.code, outcome.out) == (4, "")
        assert (
            outcome.err
            == f"error: no target matches {given!r}: use an ID, an ID prefix or a name\n"
        )


def test_all_pages_of_a_list_are_shown(
    terminal: Terminal, alice: Person, api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitum_cli.client.PAGE_SIZE", 3)
    created = {alice.make_target(name=f"t{number}")["id"] for number in range(7)}
    found = terminal.ok("targets", "ls", "--json").json
    assert {one["id"] for one in found["items"]} == created
    assert found["next_cursor"] is None
    assert len(api_server.requests) == 3


@pytest.mark.usefixtures("checked_at_once")
def test_check_returns_the_verdict_as_exit_code(
    terminal: Terminal, world: World, alice: Person
) -> None:
    target = alice.make_target(name="Shop")
    assert terminal.ok("targets", "check", "Shop").out == "UP in 50 ms, 200\n"
    world.clock.time += 1
    world.checker.script[target["id"]] = DOWN
    outcome = terminal.run("targets", "check", "Shop")
    assert (outcome.code, outcome.out) == (10, "DOWN in 15 ms, 503: status: got 503\n")
    alice.post(f"/v1/targets/{target['id']}/pause")
    assert terminal.run("targets", "check", "Shop").code == 5


def test_all_invalid_fields_are_reported_in_one_line(terminal: Terminal) -> None:
    outcome = terminal.run(
        "targets", "add", "x", "--url", "ftp://x", "--interval", "7", "--set", "nonsense=1"
    )
    assert outcome.code == 6
    assert outcome.err.count("\n") == 1
    assert "interval_s: " in outcome.err
    assert "nonsense: " in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [("add", "x"), ("add", "x", "--url", "u", "--set", "oops"), ("rm", "Shop"), ("show",)],
)
def test_usage_errors_are_reported_before_the_api_is_called(
    terminal: Terminal, alice: Person, arguments: tuple[str, ...]
) -> None:
    alice.make_target(name="Shop")
    outcome = terminal.run("targets", *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert len(alice.get("/v1/targets").json["items"]) == 1


def test_delete_asks_for_confirmation_at_a_terminal(terminal: Terminal, alice: Person) -> None:
    alice.make_target(name="Shop")
    person = Terminal(terminal.home, terminal.env, tty=True)
    assert person.run("targets", "rm", "Shop", typed="n\n").code == 1
    assert person.run("targets", "rm", "Shop", typed="").code == 1
    assert person.run("targets", "rm", "Shop", typed="y\n").code == 0
    assert alice.get("/v1/targets").json["items"] == []


def test_create_sends_an_idempotency_key(terminal: Terminal, api_server: ApiServer) -> None:
    terminal.ok("targets", "add", "Shop", "--url", "https://shop.example/")
    method, path, headers = api_server.requests[-1]
    assert (method, path) == ("POST", "/v1/targets")
    assert headers["Idempotency-Key"]
