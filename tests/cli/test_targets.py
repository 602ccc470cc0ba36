"""Targets from the command line: what a developer does all day."""

import pytest

from tests.cli.bridge import Bridge
from tests.cli.terminal import Terminal
from tests.support.world import DOWN, Person, World


@pytest.fixture
def checked_at_once(world: World, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the worker take checks that are ordered now, instead of a minute later."""
    send = world.queue.send

    def send_and_deliver(sent: object) -> None:
        send(sent)  # type: ignore[arg-type]
        world.deliver()

    monkeypatch.setattr(world.queue, "send", send_and_deliver)


def test_a_target_is_added_shown_paused_resumed_and_deleted(terminal: Terminal) -> None:
    assert terminal.ok("targets", "ls").out.split() == [
        "NAME", "STATUS", "SINCE", "RESPONSE", "EVERY", "ADDRESS", "ID",
    ]  # fmt: skip
    url = "https://shop.example/"
    assert "Shop is watched" in terminal.ok("targets", "add", "Shop", "--url", url).out
    assert url in terminal.ok("targets", "ls").out
    assert "PENDING" in terminal.ok("targets", "show", "Shop").out
    assert terminal.ok("targets", "pause", "Shop").out == "Shop: PAUSED\n"
    assert terminal.ok("targets", "resume", "Shop").out == "Shop: PENDING\n"
    assert terminal.ok("targets", "rm", "Shop", "--yes").out == "Shop is deleted\n"
    assert terminal.ok("targets", "ls", "--json").json["items"] == []


def test_json_is_what_the_api_says(terminal: Terminal, alice: Person) -> None:
    made = terminal.ok(
        "targets", "add", "Mail", "--kind", "tcp", "--host", "mail.example", "--port", "993",
        "--interval", "300", "--tag", "prod", "--set", 'expect.body_contains=* OK', "--json",
    ).json  # fmt: skip
    assert made == alice.get(f"/v1/targets/{made['id']}").json
    assert made["expect"]["body_contains"] == "* OK"
    assert terminal.ok("targets", "show", "Mail", "--json").json == made
    assert terminal.ok("targets", "ls", "--json").json == alice.get("/v1/targets").json


def test_filters_are_the_apis(terminal: Terminal, alice: Person) -> None:
    for name, tag in (("Shop", "prod"), ("Blog", "test")):
        alice.make_target(name=name, tags=[tag])
    assert "Shop" in (told := terminal.ok("targets", "ls", "--tag", "prod").out)
    assert "Blog" not in told
    assert "Blog" in terminal.ok("targets", "ls", "-q", "lo").out
    assert "Blog" not in terminal.ok("targets", "ls", "--paused").out


def test_a_target_is_named_by_id_by_its_beginning_or_by_name(
    terminal: Terminal, alice: Person
) -> None:
    made = alice.make_target(name="Shop")
    for given in (made["id"], made["id"][:18], "Shop"):
        assert terminal.ok("targets", "show", given, "--json").json["id"] == made["id"]


def test_a_name_that_looks_like_a_prefix_is_a_name(terminal: Terminal, alice: Person) -> None:
    first = alice.make_target(name="Shop")
    named = alice.make_target(name=first["id"][:8])
    assert terminal.ok("targets", "show", first["id"][:8], "--json").json["id"] == named["id"]


def test_what_fits_several_is_refused_with_their_ids(terminal: Terminal, alice: Person) -> None:
    ids = [alice.make_target(name="Shop")["id"] for _ in range(2)]
    for given in ("Shop", ids[0][:8]):
        outcome = terminal.run("targets", "rm", given, "--yes")
        assert outcome.code == 4
        assert all(one in outcome.err for one in ids)
    assert len(alice.get("/v1/targets").json["items"]) == 2


def test_what_is_not_there_and_what_is_anothers_look_the_same(
    terminal: Terminal, bob: Person
) -> None:
    theirs = bob.make_target(name="Secret")
    for given in (theirs["id"], theirs["id"][:18], "Secret", "nothing", "--", ""):
        outcome = terminal.run("targets", "show", "--", given)
        assert (outcome.code, outcome.out) == (4, "")
        assert (
            outcome.err
            == f"error: there is no target {given!r}: give an id, its beginning or a name\n"
        )


def test_every_page_of_a_long_list_is_shown(
    terminal: Terminal, alice: Person, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitum_cli.client.PAGE", 3)
    made = {alice.make_target(name=f"t{number}")["id"] for number in range(7)}
    found = terminal.ok("targets", "ls", "--json").json
    assert {one["id"] for one in found["items"]} == made
    assert found["next_cursor"] is None
    assert len(bridge.asked) == 3


@pytest.mark.usefixtures("checked_at_once")
def test_checking_now_says_yes_or_no_by_its_exit_code(
    terminal: Terminal, world: World, alice: Person
) -> None:
    made = alice.make_target(name="Shop")
    assert terminal.ok("targets", "check", "Shop").out == "UP in 50 ms, 200\n"
    world.clock.time += 1
    world.checker.script[made["id"]] = DOWN
    outcome = terminal.run("targets", "check", "Shop")
    assert (outcome.code, outcome.out) == (10, "DOWN in 15 ms, 503: status: got 503\n")
    alice.post(f"/v1/targets/{made['id']}/pause")
    assert terminal.run("targets", "check", "Shop").code == 5


def test_faults_of_a_target_are_named_in_one_line(terminal: Terminal) -> None:
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
def test_wrong_usage_is_told_before_anything_is_asked(
    terminal: Terminal, alice: Person, arguments: tuple[str, ...]
) -> None:
    alice.make_target(name="Shop")
    outcome = terminal.run("targets", *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert len(alice.get("/v1/targets").json["items"]) == 1


def test_deleting_asks_where_somebody_is_there(terminal: Terminal, alice: Person) -> None:
    alice.make_target(name="Shop")
    person = Terminal(terminal.home, terminal.env, tty=True)
    assert person.run("targets", "rm", "Shop", typed="n\n").code == 1
    assert person.run("targets", "rm", "Shop", typed="").code == 1
    assert person.run("targets", "rm", "Shop", typed="y\n").code == 0
    assert alice.get("/v1/targets").json["items"] == []


def test_creating_carries_an_idempotency_key(terminal: Terminal, bridge: Bridge) -> None:
    terminal.ok("targets", "add", "Shop", "--url", "https://shop.example/")
    method, path, headers = bridge.asked[-1]
    assert (method, path) == ("POST", "/v1/targets")
    assert headers["Idempotency-Key"]
