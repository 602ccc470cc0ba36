"""Import from other monitors: equivalent targets, and a note for every difference."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Outcome, Terminal
from tests.support.world import Person

SAMPLES = Path(__file__).parent / "samples"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
Resources = dict[str, dict[str, Any]]


@pytest.fixture
def shell(tmp_path: Path) -> Terminal:
    """A shell without a login: importing does not call the API."""
    return Terminal(tmp_path)


def imported(shell: Terminal, tool: str, file: str) -> tuple[Resources, Outcome]:
    outcome = shell.ok("import", tool, str(SAMPLES / file), "--json")
    return outcome.json, outcome


@pytest.mark.parametrize(
    ("tool", "file", "counts"),
    [
        ("uptime-kuma", "uptime-kuma.json", (6, 2)),
        ("gatus", "gatus.yaml", (5, 3)),
        ("uptimerobot", "uptimerobot.json", (5, 2)),
    ],
)
def test_output_can_be_applied(
    terminal: Terminal, alice: Person, tool: str, file: str, counts: tuple[int, int]
) -> None:
    shell = terminal.with_env(SHOP_TOKEN="t0ken")
    file_path = terminal.home / "monitum.yml"
    file_path.write_text(shell.ok("import", tool, str(SAMPLES / file)).out, encoding="utf-8")
    applied = shell.run("apply", str(file_path), "--yes")
    assert applied.code == 0, applied
    assert counts == tuple(
        len(alice.get(f"/v1/{noun}").json["items"]) for noun in ("targets", "channels")
    )
    assert shell.run("plan", str(file_path), "--exit-code").code == 0


def test_uptime_kuma(shell: Terminal) -> None:
    resources, outcome = imported(shell, "uptime-kuma", "uptime-kuma.json")
    targets = resources["targets"]
    assert targets["Shop"] == {
        "kind": "http",
        "url": "https://probe:p%40ss@shop.example/health",
        "method": "POST",
        "headers": {"X-Key": "k3y", "Content-Type": "application/json"},
        "body": '{"ping": true}',
        "interval_s": 30,
        "timeout_s": 25,
        "failure_threshold": 3,
        "follow_redirects": False,
        "expect": {"status_codes": ["200-299", 301], "tls_days_left": 14},
        "tags": ["Production", "env:prod"],
        "channels": ["Ops chat", "Mail"],
    }
    assert targets["Front page"]["expect"] == {"body_contains": "Welcome"}
    assert (targets["Front page"]["enabled"], targets["Front page"]["verify_tls"]) == (False, False)
    assert targets["Queue length"]["expect"] == {"json": [{"path": "$.queue.length", "less": 100}]}
    assert (targets["SSH"]["host"], targets["SSH"]["port"]) == ("bastion.shop.example", 22)
    assert (targets["MX"]["record_type"], targets["MX"]["resolver"]) == ("MX", "1.1.1.1")
    assert targets["Shop (2)"]["url"] == "https://second.shop.example/"
    # Front page alerted nobody: in Monitum it would alert a channel without tags.
    assert resources["channels"]["Ops chat"] == {
        "kind": "apprise", "url": SLACK, "tags": ["by name only"],
    }  # fmt: skip
    for note in (
        "monitor Shop: interval is 30 s instead of 45 s",
        "monitor Shop: description is not imported",
        "monitor Router: skipped: monitor type 'ping' is not supported",
        "monitor Closed port: skipped: upside-down mode is not supported",
        "monitor Queue length: retryInterval is not imported",
        "monitor Broken: skipped: unexpected format",
        "notification Alarm bell: skipped: notification type 'homeassistant' is not supported",
        "Shop: renamed to 'Shop (2)'",
        "imported 6 targets and 2 channels, skipped 4",
    ):
        assert note in outcome.err


def test_gatus(shell: Terminal) -> None:
    resources, outcome = imported(shell, "gatus", "gatus.yaml")
    targets = resources["targets"]
    assert targets["shop"] == {
        "kind": "http",
        "url": "https://shop.example/health",
        "headers": {"Authorization": "Bearer ${SHOP_TOKEN}", "X-Price": "5$"},
        "interval_s": 60,
        "timeout_s": 10,
        "failure_threshold": 5,
        "recovery_threshold": 3,
        "tags": ["core"],
        "channels": ["slack"],
        "expect": {
            "status_codes": [200, 204],
            "max_response_ms": 499,
            "tls_days_left": 2,
            "json": [
                {"path": "$.status", "equals": "UP"},
                {"path": "$.queue.length", "less": 100},
                {"path": "$.nodes[0].name", "matches": "^(?s:node\\-.*)$"},
                {"path": "$.errors", "exists": False},
            ],
        },
    }
    graph = targets["graph"]
    assert json.loads(graph["body"]) == {"query": "{ users { id } }"}
    assert graph["expect"] == {"status_codes": ["100-299"]}
    assert (graph["verify_tls"], graph["follow_redirects"], graph["timeout_s"]) == (False, False, 2)
    assert graph["channels"] == ["email", "email (2)"]
    assert targets["redis"]["enabled"] is False
    assert targets["certificate"]["expect"] == {"tls_days_left": 14}
    assert targets["address"]["expected"] == ["93.184.215.14"]
    assert targets["address"]["resolver"] == "8.8.8.8"
    for note in (
        "endpoint core/shop: the condition 'len([BODY].nodes) > 2' is not imported",
        "endpoint core/shop: the condition '[DOMAIN_EXPIRATION] > 720h' is not imported",
        "endpoint core/shop: a slow response makes the target DEGRADED, not DOWN",
        "endpoint graph: client.oauth2 is not imported",
        "endpoint ping: skipped: checks of 'icmp' are not supported",
        "endpoint odd: skipped: 'soon' is not a duration",
        "maintenance: skipped",
        "alerting.custom: skipped",
        "imported 5 targets and 3 channels, skipped 4",
    ):
        assert note in outcome.err


def test_uptimerobot(shell: Terminal) -> None:
    resources, outcome = imported(shell, "uptimerobot", "uptimerobot.json")
    targets = resources["targets"]
    assert targets["Shop"] == {
        "kind": "http",
        "url": "https://probe:p%40ss@shop.example/",
        "method": "HEAD",
        "headers": {"X-Key": "k3y"},
        "interval_s": 300,
        "timeout_s": 25,
        "expect": {"status_codes": [200, 401]},
        "tags": ["prod"],
        "channels": ["Ops"],
    }
    # The first one alerts if the keyword exists, the other if it does not.
    assert targets["No errors"]["expect"] == {"body_not_contains": "error"}
    assert targets["Welcome"]["expect"] == {"body_contains": "Welcome"}
    assert targets["Welcome"]["enabled"] is False
    assert targets["FTP"]["port"] == 21
    assert targets["Own port"]["port"] == 8443
    assert resources["channels"]["Chat"]["url"] == SLACK
    for note in (
        "monitor Router: skipped: monitor type ping is not supported",
        "monitor Nightly job: skipped: monitor type heartbeat is not supported",
        "monitor Own port: mwindows is not imported",
        "contact Pager: skipped: contact type 8 is not supported",
        "1 monitor: skipped: on other pages of the response",
    ):
        assert note in outcome.err


def test_secrets_in_the_output_are_noted(shell: Terminal) -> None:
    _, outcome = imported(shell, "uptimerobot", "uptimerobot.json")
    assert "note: the output contains 3 secrets in plain text" in outcome.err


def test_strict_exits_with_10_if_anything_is_skipped(shell: Terminal) -> None:
    assert shell.run("import", "gatus", str(SAMPLES / "gatus.yaml"), "--strict").code == 10


@pytest.mark.parametrize("tool", ["uptime-kuma", "gatus", "uptimerobot"])
@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]x", b"\xff\xfe", b"null", b"[1]", b'{"monitors": 7}', b"[" * 100_000,
        b'{"monitorList": ["x"]}', b'{"endpoints": [7]}', b" " * (5 * 1024 * 1024), b"a: &a [*a]",
    ],
    ids=range(12),
)  # fmt: skip
def test_invalid_file_is_rejected_in_one_line(shell: Terminal, tool: str, content: bytes) -> None:
    (shell.home / "file").write_bytes(content)
    outcome = shell.run("import", tool, str(shell.home / "file"))
    assert (outcome.code, outcome.out) == (6, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("tool", "content"),
    [
        ("uptime-kuma", {"monitorList": [{"type": "http", "headers": 7, "tags": [None]}]}),
        ("uptime-kuma", {"monitorList": {"1": {"type": "dns", "interval": []}}}),
        ("uptime-kuma", {"monitorList": [], "notificationList": [None, {"config": "{"}]}),
        ("uptimerobot", {"monitors": [{"type": "x"}, {"type": 1, "alert_contacts": [7]}]}),
        ("gatus", {"endpoints": [{"url": "https://x", "alerts": [7]}, {"url": 7}]}),
    ],
)
def test_malformed_items_are_skipped_with_a_note(
    shell: Terminal, tool: str, content: object
) -> None:
    (shell.home / "file").write_text(json.dumps(content), encoding="utf-8")
    outcome = shell.ok("import", tool, str(shell.home / "file"))
    assert "skipped: " in outcome.err
