"""Failing API calls: retries, rate limits and error messages."""

import json
from typing import Any

import pytest

from tests.cli.api_server import ApiServer, CannedResponse
from tests.cli.terminal import Terminal
from tests.support.world import Person

BUSY = CannedResponse(503, b"{}")
CLOSED = CannedResponse()


def problem(status: int, detail: str = "no", **headers: str) -> CannedResponse:
    body = {"type": "x", "title": "x", "status": status, "detail": detail, "errors": []}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return CannedResponse(status, json.dumps(body).encode(), given)


@pytest.mark.parametrize(
    "fault", [BUSY, CLOSED, CannedResponse(502, b"<html>")], ids=["503", "closed", "502"]
)
def test_get_is_retried(terminal: Terminal, api_server: ApiServer, fault: CannedResponse) -> None:
    api_server.canned += [fault] * 3
    assert terminal.ok("targets", "ls").err == ""
    assert terminal.slept == [0.5, 1.0, 2.0]
    api_server.canned += [fault] * 4
    outcome = terminal.run("targets", "ls")
    assert outcome.code == 8
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1


def test_create_is_retried_without_creating_duplicates(
    terminal: Terminal, api_server: ApiServer, alice: Person
) -> None:
    api_server.canned += [CannedResponse(is_processed=True), CannedResponse(504, is_processed=True)]
    terminal.ok("targets", "add", "Shop", "--url", "https://shop.example/")
    assert api_server.methods() == ["POST"] * 3
    assert len({headers["Idempotency-Key"] for _, _, headers in api_server.requests}) == 1
    assert len(alice.get("/v1/targets").json["items"]) == 1


def test_token_from_a_lost_response_is_the_one_printed(
    terminal: Terminal, api_server: ApiServer
) -> None:
    api_server.canned += [CannedResponse(is_processed=True)] * 2
    token = terminal.ok("tokens", "add", "ci").out.strip()
    assert api_server.methods() == ["POST"] * 3
    tokens = terminal.logged_in(api_server.url, token).ok("tokens", "ls", "--json").json["items"]
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
def test_errors_are_printed_as_json(terminal: Terminal, arguments: list[str], code: int) -> None:
    plain, scripted = terminal.run(*arguments), terminal.run(*arguments, "--json")
    error = json.loads(scripted.err)["error"]
    assert plain.code == scripted.code == error["exit_code"] == code
    assert plain.err == f"error: {error['message']}\n"
    assert scripted.out == ""


def test_json_error_contains_the_problem_document(terminal: Terminal) -> None:
    error = json.loads(terminal.run("stats", "--from", "yesterday", "--json").err)["error"]
    assert (error["status"], error["problem"]["status"]) == (400, 400)
    assert error["problem"]["type"] == "urn:monitum:problem:bad-request"
    assert error["problem"]["request_id"]


def test_server_error_shows_the_request_id(terminal: Terminal, api_server: ApiServer) -> None:
    body = b'{"detail": "something went wrong on our side", "errors": [], "request_id": "4f2b"}'
    api_server.canned += [CannedResponse(500, body)]
    outcome = terminal.run("targets", "ls")
    assert outcome.err == "error: something went wrong on our side (request 4f2b)\n"


def test_deleting_twice_reports_not_found(terminal: Terminal, alice: Person) -> None:
    target = alice.make_target()
    terminal.ok("targets", "rm", target["id"], "--yes")
    assert terminal.run("targets", "rm", target["id"], "--yes").code == 4


def test_delete_retried_after_a_lost_response_succeeds(
    terminal: Terminal, api_server: ApiServer, alice: Person
) -> None:
    alice.make_target(name="Shop")
    api_server.requests.clear()

    class AtDelete(list[CannedResponse]):
        """Loses the response to the first DELETE."""

        def __bool__(self) -> bool:
            return api_server.methods() == ["GET", "DELETE"]

        def pop(self, _index: Any = -1) -> CannedResponse:
            return CannedResponse(is_processed=True)

    api_server.canned = AtDelete()
    terminal.ok("targets", "rm", "Shop", "--yes")
    assert api_server.methods() == ["GET", "DELETE", "DELETE"]


@pytest.mark.parametrize("fault", [BUSY, CLOSED], ids=["503", "closed"])
def test_check_is_not_retried(
    terminal: Terminal, api_server: ApiServer, alice: Person, fault: CannedResponse
) -> None:
    target = alice.make_target()

    class AtCheck(list[CannedResponse]):
        """Fails the request for the check."""

        def __bool__(self) -> bool:
            return api_server.methods()[-1] == "POST"

        def pop(self, _index: Any = -1) -> CannedResponse:
            return fault

    api_server.canned = AtCheck()
    assert terminal.run("targets", "check", target["id"]).code == 8
    assert api_server.methods().count("POST") == 1


def test_rate_limited_request_waits_for_retry_after(
    terminal: Terminal, api_server: ApiServer
) -> None:
    api_server.canned += [problem(429, Retry_After="7"), problem(429, Retry_After="12")]
    assert (
        terminal.ok("targets", "ls").err
        == "rate limited: waiting 7 s\nrate limited: waiting 12 s\n"
    )
    assert terminal.slept == [7, 12]


def test_rate_limit_wait_is_bounded(terminal: Terminal, api_server: ApiServer) -> None:
    api_server.canned += [problem(429, "too fast", Retry_After="40")] * 2
    outcome = terminal.run("targets", "ls")
    assert (outcome.code, sum(terminal.slept)) == (7, 40)
    assert outcome.err.endswith("error: too fast; try again in 40 s\n")


@pytest.mark.parametrize("header", ["soon", "-5", "", "1e9", "٣"])
def test_invalid_retry_after_means_one_second(
    terminal: Terminal, api_server: ApiServer, header: str
) -> None:
    headers = {} if not header.isascii() else {"Retry_After": header}
    api_server.canned += [problem(429, **headers)]
    terminal.ok("targets", "ls")
    assert terminal.slept == [1]


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        (problem(403, "the token has no scope 'write'"), 3, "the token has no scope 'write'"),
        (problem(409, "the target is paused"), 5, "the target is paused"),
        (problem(412, "another version"), 5, "another version"),
        (problem(500, "ours"), 8, "ours"),
        (CannedResponse(400, b"<html>"), 1, "responded with 400"),
        (CannedResponse(200, b"<html>Hello</html>"), 8, "is not a Monitum API"),
        (CannedResponse(200, b'{"hello": 1}'), 8, "is not a Monitum API"),
        (CannedResponse(200, b"[1]"), 8, "is not a Monitum API"),
        (
            CannedResponse(302, b"", {"Location": "https://evil.example/"}),
            8,
            "redirects to https://evil",
        ),
        (CannedResponse(418, b'{"errors": [{"loc": 7}]}'), 1, "responded with 418"),
    ],
)
def test_error_response_has_its_exit_code_and_one_line(
    terminal: Terminal, api_server: ApiServer, response: CannedResponse, code: int, message: str
) -> None:
    api_server.canned += [response]
    outcome = terminal.run("targets", "ls")
    assert (outcome.code, outcome.out) == (code, "") or response.body.startswith(b"<html>")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_rejected_token_is_not_printed(terminal: Terminal, api_server: ApiServer) -> None:
    stranger = terminal.logged_in(api_server.url, "mon_nonsense")
    outcome = stranger.run("targets", "ls")
    assert outcome.code == 3
    assert "monitum login" in outcome.err
    assert "mon_nonsense" not in outcome.err


def test_connection_failure_is_reported(terminal: Terminal) -> None:
    outcome = terminal.logged_in("http://127.0.0.1:9/api", "mon_x").run("targets", "ls")
    assert outcome.code == 8
    assert "could not connect to http://127.0.0.1:9/api: " in outcome.err
    assert "HTTPConnection" not in outcome.err
    assert outcome.err.count("\n") == 1


def test_repeated_cursor_ends_pagination(terminal: Terminal, api_server: ApiServer) -> None:
    page = json.dumps({"items": [], "next_cursor": "again"}).encode()
    api_server.canned += [CannedResponse(200, page)] * 5
    outcome = terminal.run("targets", "ls")
    assert outcome.code == 8
    assert "same cursor twice" in outcome.err


def test_follow_prints_each_check_once_and_survives_an_outage(
    terminal: Terminal, api_server: ApiServer, alice: Person
) -> None:
    target = alice.make_target(name="Shop", interval_s=60)
    world = alice.world
    world.run(120)
    polls = iter(range(6))

    def advance(seconds: float) -> None:
        if seconds in {0.5, 1.0, 2.0}:
            return
        poll = next(polls, None)
        if poll is None:
            raise KeyboardInterrupt
        if poll == 2:
            api_server.canned += [BUSY] * 4
        world.run(60)

    follower = Terminal(terminal.home, terminal.env, when_sleeping=advance)
    outcome = follower.run("checks", "Shop", "--follow", "--json")
    assert outcome.code == 130
    assert "warning: " in outcome.err
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    stored = alice.get(f"/v1/targets/{target['id']}/checks?limit=200").json["items"]
    assert lines == stored[::-1]
    assert len(lines) >= 7
