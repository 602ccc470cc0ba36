"""Metrics in log lines, in CloudWatch's embedded metric format."""

import json
from dataclasses import replace
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib.common import logs, metrics
from chalicelib.common.metrics import metric_fields
from chalicelib.common.settings import STAGES
from ops import ROOT
from tests.support.alerts import channel, fail, skip, target
from tests.support.world import START, World

pytestmark = pytest.mark.usefixtures("restore_logging")


def lines(capsys: pytest.CaptureFixture[str], message: str) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [entry for entry in entries if entry["message"] == message]


def metrics_of(entry: dict[str, Any]) -> dict[str, float]:
    """Parse the metrics of a line, checking every rule of the format."""
    (directive,) = entry["_aws"]["CloudWatchMetrics"]
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert directive["Namespace"] == "Monitum"
    assert directive["Dimensions"] == [["stage"]]
    assert entry["stage"] in STAGES
    assert entry["_aws"]["Timestamp"] > START * 1000 - 1
    found = {}
    for described in directive["Metrics"]:
        assert described["Unit"] == metrics.UNITS[described["Name"]]
        value = entry[described["Name"]]
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        found[described["Name"]] = value
    return found


def test_batch_counts_verdicts_and_lateness(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = world.user()
    alice.make_target()
    world.clock.time += 7
    logs.configure()
    world.deliver()

    (entry,) = lines(capsys, "checked")

    assert metrics_of(entry) == {"ChecksUp": 1, "Lateness": 7}


def test_alerts_count_sent_and_failed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    alice = world.user()
    channel(alice)
    channel(alice, "https://lost.example/")
    world.outbound.script["https://lost.example/"] = 404
    fail(world, target(alice))
    logs.configure()
    skip(world, 86_400)

    counted = [metrics_of(entry) for entry in lines(capsys, "delivery") if "_aws" in entry]

    assert sorted(counted, key=str) == [{"AlertsFailed": 1}, {"AlertsSent": 1}]


def test_zeros_are_omitted_and_figures_stay_without_metrics(world: World) -> None:
    settings = world.runtime.settings

    assert metric_fields(settings, START, ChecksUp=0, RateLimited=0) == {}
    assert metric_fields(replace(settings, metrics=False), START, ChecksUp=2) == {"ChecksUp": 2}


def test_every_metric_is_on_the_dashboard() -> None:
    template = json.loads((ROOT / ".chalice" / "resources.json").read_text())["Resources"]
    shown = template["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

    assert [name for name in metrics.UNITS if f'"{name}"' not in shown] == []
    widgets = json.loads(shown)["widgets"]
    assert all(widget["properties"]["metrics"] for widget in widgets)


def test_lines_contain_the_request_id(
    aws: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    app.runtime.cache_clear()
    logs.configure()
    with Client(app.app) as client:
        client.lambda_.invoke("tick", client.events.generate_cw_event("", "", {}, []))
    app.runtime.cache_clear()

    (entry,) = lines(capsys, "tick")

    assert entry["request_id"]
    assert entry["planned_until"]
