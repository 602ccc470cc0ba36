"""How an `http` check ends: confirmation, timings, errors, and internal failures."""

import ssl
import time

import pytest

from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.tls_context import Protocols, TlsContexts
from tests.probes.conftest import Watch
from tests.probes.hostile import OK, Behaviour, Peer, answers, resets_after, response, serving
from tests.probes.specs import spec


def test_a_closed_port_is_refused_and_confirmed(watch: Watch) -> None:
    with serving(answers(OK)) as server:
        port = server.port
    result = watch("http", url=f"http://127.0.0.1:{port}/")
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", "refused", 2)
    assert result.error == f"the connection to 127.0.0.1:{port} was refused (twice)"


def flaky(failures: int, bad: Behaviour, then: Behaviour | None = None) -> Behaviour:
    """Fail so many times, then answer well, or do something else."""
    left = iter(range(failures))

    def behave(peer: Peer) -> None:
        ((then or answers(OK)) if next(left, None) is None else bad)(peer)

    return behave


def test_a_connection_that_fails_once_is_up(watch: Watch) -> None:
    with serving(flaky(1, resets_after(b""))) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/")
    assert (result.verdict, result.attempts, server.connections) == ("UP", 2, 2)
    assert result.error is None
    assert result.first_error == "the connection was reset while waiting for the first byte"


def test_both_tries_are_told_where_the_second_finds_something_else(watch: Watch) -> None:
    failed = response(status="500 x")
    with serving(flaky(1, resets_after(b""), answers(failed))) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/")
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", "status", 2)
    assert result.error == "expected status 200-299, got 500"
    assert result.first_error == "the connection was reset while waiting for the first byte"


def test_both_failures_are_reported(watch: Watch) -> None:
    behaviours = iter([answers(), answers(b"nonsense")])

    def behave(peer: Peer) -> None:
        next(behaviours)(peer)

    with serving(behave) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/")
    assert (result.verdict, result.attempts, result.first_error) == ("DOWN", 2, None)
    assert result.error == (
        "the response has no HTTP status line; the connection was closed without a response"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(response(status="500 x"), "status"), (response(body=b"no"), "body")],
)
def test_a_wrong_response_is_not_retried(watch: Watch, answer: bytes, reason: str) -> None:
    with serving(answers(answer)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = watch("http", url=url, expect={"body_contains": "OK"} if reason == "body" else {})
    assert (result.reason, result.attempts, server.connections) == (reason, 1, 1)


@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("PATCH", 1), ("PUT", 2), ("GET", 2)])
def test_a_request_that_changes_something_is_sent_once(
    watch: Watch, method: str, times: int
) -> None:
    with serving(resets_after(b"")) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/", method=method)
    assert (result.attempts, len(server.requests)) == (times, times)


def test_a_request_that_was_never_sent_may_be_sent_again(watch: Watch) -> None:
    with serving(answers(OK)) as server:
        port = server.port
    result = watch("http", url=f"http://127.0.0.1:{port}/", method="POST")
    assert (result.reason, result.attempts) == ("refused", 2)


def test_failures_are_reported_before_timeouts(watch: Watch) -> None:
    with serving(flaky(1, resets_after(b""), Peer.wait)) as server:
        result = watch("http", within_s=0.8, url=f"http://127.0.0.1:{server.port}/")
    assert (result.reason, result.attempts) == ("connect", 2)
    assert result.error == (
        "the connection was reset while waiting for the first byte; "
        "timed out waiting for the first byte"
    )


@pytest.mark.parametrize(("pause_s", "least", "most"), [(0.3, 0.3, 2), (99, 0.5, 2), (0, 0, 0.3)])
def test_the_second_try_comes_a_moment_later(pause_s: float, least: float, most: float) -> None:
    """A twentieth of the time that is left at most: half a second of ten."""
    checker = Checker(Guard(allow_private=True), pause_s=pause_s)
    started = time.monotonic()
    result = checker.check(spec(url="http://127.0.0.1:1/"), started + 10.1)
    took = time.monotonic() - started
    checker.close()
    assert (result.reason, result.attempts) == ("refused", 2)
    assert least <= took < most


def test_timings_are_those_of_the_phases_and_add_up(watch: Watch) -> None:
    def slow(peer: Peer) -> None:
        peer.read_request()
        time.sleep(0.2)
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        time.sleep(0.1)
        peer.say(b"OK")

    with serving(slow) as server:
        started = time.monotonic()
        result = watch("http", url=f"http://127.0.0.1:{server.port}/")
        took_ms = (time.monotonic() - started) * 1000
    timings = result.timings
    assert result.response_ms == sum(
        (timings.dns, timings.connect, timings.tls, timings.first_byte, timings.body)
    )
    late = timings.first_byte - 200  # how late the first byte was noticed shortens the body's time
    assert late >= 0
    assert timings.body >= 99 - late
    assert 300 <= result.response_ms <= took_ms + 1


def test_making_a_tls_context_is_not_the_targets_time(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = TlsContexts.get

    def slowly(self: TlsContexts, *, verify: bool, protocols: Protocols) -> ssl.SSLContext:
        time.sleep(0.3)
        return get(self, verify=verify, protocols=protocols)

    monkeypatch.setattr(TlsContexts, "get", slowly)
    with serving(lambda peer: peer.say(b"no TLS")) as server:
        result = watch("tls", host="127.0.0.1", port=server.port)
    assert result.reason == "tls"
    assert result.response_ms < 250


@pytest.mark.parametrize(
    ("expect", "shown"),
    [
        ({"headers": {"X-Next": "nothing"}}, "https://other.example/"),
        ({"json": [{"path": "$.detail", "equals": "x"}]}, "Invalid key: ***"),
    ],
)
def test_errors_hold_no_keys_of_urls(watch: Watch, expect: dict[str, object], shown: str) -> None:
    location = f"https://other.example/{'a' * 20}?q=1&X-Amz-Signature=0123456789abcdef"
    body = b'{"detail": "Invalid key: S3cretWord"}'
    with serving(answers(response(f"X-Next: {location}", body=body))) as server:
        url = f"http://127.0.0.1:{server.port}/?key=S3cretWord"
        error = watch("http", url=url, expect=expect).error or ""
    assert shown in error
    for secret in ("S3cret", "0123456"):
        assert secret not in error


def test_errors_hold_no_secrets(watch: Watch) -> None:
    secrets = {
        "headers": {"X-Api-Key": "key-12345", "Authorization": "Bearer tok-98765"},
        "userinfo": "user:pass-4711",
    }
    body = b'{"a": "key-12345 tok-98765 pass-4711 dXNlcjpwYXNzLTQ3MTE="}'
    with serving(answers(response("Echo: key-12345", body=body))) as server:
        result = watch(
            "http",
            url=f"http://127.0.0.1:{server.port}/?token=in-the-url",
            secrets=secrets,
            expect={"json": [{"path": "$.a", "equals": 1}], "headers": {"echo": "x"}},
        )
    error = result.error or ""
    assert "***" in error
    for secret in ("key-12345", "tok-98765", "pass-4711", "dXNlcjpwYXNz", "in-the-url"):
        assert secret not in error


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (["long-secret", "long-secret-and-more"], 'the body contains "*** and *** and yes"'),
        (["yes", "and"], 'the body contains "long-secret-and-more and long-secret and yes"'),
    ],
)
def test_the_longest_secret_goes_first_and_short_words_are_none(
    watch: Watch, values: list[str], error: str
) -> None:
    text = "long-secret-and-more and long-secret and yes"
    with serving(answers(response(body=text.encode()))) as server:
        result = watch(
            "http",
            url=f"http://127.0.0.1:{server.port}/",
            secrets={"headers": {f"X-{number}": value for number, value in enumerate(values)}},
            expect={"body_not_contains": text},
        )
    assert result.error == error


def test_an_unknown_kind_is_an_internal_failure(watch: Watch) -> None:
    result = watch("carrier-pigeon")
    assert (result.verdict, result.reason) == ("UNKNOWN", "internal")


@pytest.mark.parametrize("config", [{}, {"url": None}, {"url": 7}, {"url": ["http://a/"]}])
def test_a_broken_configuration_raises_nothing(watch: Watch, config: dict[str, object]) -> None:
    assert watch("http", **config).verdict in {"UNKNOWN", "DOWN"}


def test_a_worker_can_ask_whether_it_is_connected(checker: Checker) -> None:
    with serving(Peer.wait) as server:
        here, gone = ("localhost", server.port), ("127.0.0.1", 1)
        assert checker.is_connected([gone, here])
        assert not checker.is_connected([gone, ("169.254.1.1", 80)])
        assert not checker.is_connected([])
