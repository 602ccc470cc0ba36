"""Calls that go wrong: what is tried again, how long, and what is said in the end."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.bridge import Bridge, Canned
from tests.cli.terminal import Terminal
from tests.support.world import Person

BUSY = Canned(503, b"{}")
CUT = Canned()


def problem(status: int, detail: str = "no", **headers: str) -> Canned:
    body = {"type": "x", "title": "x", "status": status, "detail": detail, "errors": []}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Canned(status, json.dumps(body).encode(), given)


@pytest.mark.parametrize("fault", [BUSY, CUT, Canned(502, b"<html>")], ids=["503", "cut", "502"])
def test_reading_is_tried_again(terminal: Terminal, bridge: Bridge, fault: Canned) -> None:
    bridge.canned += [fault] * 3
    assert terminal.ok("targets", "ls").err == ""
    assert terminal.slept == [0.5, 1.0, 2.0]
    bridge.canned += [fault] * 4
    outcome = terminal.run("targets", "ls")
    assert outcome.code == 8
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1


def test_what_is_made_is_made_once_however_often_answers_get_lost(
    terminal: Terminal, bridge: Bridge, alice: Person
) -> None:
    bridge.canned += [Canned(after=True), Canned(504, after=True)]
    terminal.ok("targets", "add", "Shop", "--url", "https://shop.example/")
    assert bridge.methods() == ["POST"] * 3
    assert len({headers["Idempotency-Key"] for _, _, headers in bridge.asked}) == 1
    assert len(alice.get("/v1/targets").json["items"]) == 1


def test_a_token_whose_answer_got_lost_is_the_one_that_is_printed(
    terminal: Terminal, bridge: Bridge
) -> None:
    bridge.canned += [Canned(after=True)] * 2
    token = terminal.ok("tokens", "add", "ci").out.strip()
    assert bridge.methods() == ["POST"] * 3
    tokens = terminal.logged_in(bridge.url, token).ok("tokens", "ls", "--json").json["items"]
    assert sorted(one["name"] for one in tokens) == ["ci", "first token"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["targets", "show", "nothing"], 4),
        (["users", "ls"], 3),
        (["stats", "--from", "yesterday"], 6),
        (["targets", "add", "x"], 2),
        (["targets", "fly"], 2),
        (["apply", "nowhere.yml"], 6),
    ],
)
def test_errors_are_json_too(terminal: Terminal, arguments: list[str], code: int) -> None:
    plain, scripted = terminal.run(*arguments), terminal.run(*arguments, "--json")
    error = json.loads(scripted.err)["error"]
    assert plain.code == scripted.code == error["exit_code"] == code
    assert plain.err == f"error: {error['message']}\n"
    assert scripted.out == ""


def test_what_the_api_says_of_an_error_is_in_its_json(terminal: Terminal) -> None:
    error = json.loads(terminal.run("stats", "--from", "yesterday", "--json").err)["error"]
    assert (error["status"], error["problem"]["status"]) == (400, 400)
    assert error["problem"]["type"] == "urn:monitum:problem:bad-request"
    assert error["problem"]["request_id"]


def test_a_fault_of_the_apis_own_can_be_reported(terminal: Terminal, bridge: Bridge) -> None:
    body = b'{"detail": "something went wrong on our side", "errors": [], "request_id": "4f2b"}'
    bridge.canned += [Canned(500, body)]
    outcome = terminal.run("targets", "ls")
    assert outcome.err == "error: something went wrong on our side (request 4f2b)\n"


def test_what_is_deleted_by_a_lost_answer_is_deleted(terminal: Terminal, alice: Person) -> None:
    made = alice.make_target()
    terminal.ok("targets", "rm", made["id"], "--yes")
    assert terminal.run("targets", "rm", made["id"], "--yes").code == 4


def test_a_lost_answer_to_a_deletion_is_no_error(
    terminal: Terminal, bridge: Bridge, alice: Person
) -> None:
    alice.make_target(name="Shop")
    bridge.asked.clear()

    class AtDelete(list[Canned]):
        """Loses the answer to the first deletion."""

        def __bool__(self) -> bool:
            return bridge.methods() == ["GET", "DELETE"]

        def pop(self, _index: Any = -1) -> Canned:
            return Canned(after=True)

    bridge.canned = AtDelete()
    terminal.ok("targets", "rm", "Shop", "--yes")
    assert bridge.methods() == ["GET", "DELETE", "DELETE"]


@pytest.mark.parametrize("fault", [BUSY, CUT], ids=["503", "cut"])
def test_a_check_is_not_ordered_twice(
    terminal: Terminal, bridge: Bridge, alice: Person, fault: Canned
) -> None:
    made = alice.make_target()

    class AtCheck(list[Canned]):
        """Fails the call that orders the check."""

        def __bool__(self) -> bool:
            return bridge.methods()[-1] == "POST"

        def pop(self, _index: Any = -1) -> Canned:
            return fault

    bridge.canned = AtCheck()
    assert terminal.run("targets", "check", made["id"]).code == 8
    assert bridge.methods().count("POST") == 1


def test_over_the_rate_it_waits_as_it_is_told(terminal: Terminal, bridge: Bridge) -> None:
    bridge.canned += [problem(429, Retry_After="7"), problem(429, Retry_After="12")]
    assert (
        terminal.ok("targets", "ls").err
        == "over the rate: waiting 7 s\nover the rate: waiting 12 s\n"
    )
    assert terminal.slept == [7, 12]


def test_but_not_for_ever(terminal: Terminal, bridge: Bridge) -> None:
    bridge.canned += [problem(429, "too fast", Retry_After="40")] * 2
    outcome = terminal.run("targets", "ls")
    assert (outcome.code, sum(terminal.slept)) == (7, 40)
    assert outcome.err.endswith("error: too fast; try again in 40 s\n")


@pytest.mark.parametrize("header", ["soon", "-5", "", "1e9", "٣"])
def test_a_wait_that_makes_no_sense_is_a_second(
    terminal: Terminal, bridge: Bridge, header: str
) -> None:
    headers = {} if not header.isascii() else {"Retry_After": header}
    bridge.canned += [problem(429, **headers)]
    terminal.ok("targets", "ls")
    assert terminal.slept == [1]


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (problem(403, "the token has no scope 'write'"), 3, "the token has no scope 'write'"),
        (problem(409, "the target is paused"), 5, "the target is paused"),
        (problem(412, "another version"), 5, "another version"),
        (problem(500, "ours"), 8, "ours"),
        (Canned(400, b"<html>"), 1, "answers 400"),
        (Canned(200, b"<html>Hello</html>"), 8, "does not answer as Monitum does"),
        (Canned(200, b'{"hello": 1}'), 8, "does not answer as Monitum does"),
        (Canned(200, b"[1]"), 8, "does not answer as Monitum does"),
        (Canned(302, b"", {"Location": "https://evil.example/"}), 8, "sends on to https://evil"),
        (Canned(418, b'{"errors": [{"loc": 7}]}'), 1, "answers 418"),
    ],
)
def test_each_refusal_has_its_code_and_one_line(
    terminal: Terminal, bridge: Bridge, answer: Canned, code: int, told: str
) -> None:
    bridge.canned += [answer]
    outcome = terminal.run("targets", "ls")
    assert (outcome.code, outcome.out) == (code, "") or answer.body.startswith(b"<html>")
    assert told in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_token_that_is_refused_is_told_without_it(terminal: Terminal, bridge: Bridge) -> None:
    stranger = terminal.logged_in(bridge.url, "mon_nonsense")
    outcome = stranger.run("targets", "ls")
    assert outcome.code == 3
    assert "monitum login" in outcome.err
    assert "mon_nonsense" not in outcome.err


def test_where_nobody_answers_that_is_said(terminal: Terminal) -> None:
    outcome = terminal.logged_in("http://127.0.0.1:9/api", "mon_x").run("targets", "ls")
    assert outcome.code == 8
    assert "http://127.0.0.1:9/api cannot be reached: " in outcome.err
    assert "HTTPConnection" not in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_list_that_goes_in_circles_ends(terminal: Terminal, bridge: Bridge) -> None:
    page = json.dumps({"items": [], "next_cursor": "again"}).encode()
    bridge.canned += [Canned(200, page)] * 5
    outcome = terminal.run("targets", "ls")
    assert outcome.code == 8
    assert "in circles" in outcome.err


def test_following_prints_each_check_once_and_outlives_an_outage(
    terminal: Terminal, bridge: Bridge, alice: Person
) -> None:
    made = alice.make_target(name="Shop", interval_s=60)
    world = alice.world
    world.run(120)
    looks = iter(range(6))

    def live_on(seconds: float) -> None:
        if seconds in {0.5, 1.0, 2.0}:
            return
        turn = next(looks, None)
        if turn is None:
            raise KeyboardInterrupt
        if turn == 2:
            bridge.canned += [BUSY] * 4
        world.run(60)

    watcher = watching(terminal, live_on)
    outcome = watcher.run("checks", "Shop", "--follow", "--json")
    assert outcome.code == 130
    assert "warning: " in outcome.err
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    stored = alice.get(f"/v1/targets/{made['id']}/checks?limit=200").json["items"]
    assert lines == stored[::-1]
    assert len(lines) >= 7


def watching(terminal: Terminal, live_on: Callable[[float], None]) -> Terminal:
    return Terminal(terminal.home, terminal.env, when_sleeping=live_on)
