"""The settings of every stage, in the code and in docs/operations.md."""

from contextlib import nullcontext
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from chalicelib.common.limits import Limits
from chalicelib.common.settings import STAGES, Defaults, Settings, SettingsError
from chalicelib.probes.net.urls import BadUrl
from chalicelib.runtime import Runtime

HANDBOOK = Path(__file__).parents[2] / "docs" / "operations.md"
ENV = {"TABLE_PREFIX": "monitum-test-", "STAGE": "prod"}


def documented() -> dict[str, dict[str, str]]:
    """The documented settings: `{variable: {stage: value}}`."""
    lines = HANDBOOK.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| variable | `local`"))
    stages = [cell.strip(" `") for cell in lines[start].split("|")[2:-2]]
    table = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        name, *values = (cell.strip() for cell in line.split("|")[1:-2])
        table[name.strip("`")] = dict(zip(stages, values, strict=True))
    return table


def vars_of(defaults: Defaults) -> dict[str, object]:
    return {**asdict(defaults), **asdict(defaults.limits)}


def test_every_setting_is_documented_for_every_stage() -> None:
    named = {field.name.upper() for field in (*fields(Defaults), *fields(Limits))}

    assert documented() == {
        name: {
            stage: str(vars_of(defaults)[name.lower()])
            .replace("True", "true")
            .replace("False", "false")
            for stage, defaults in STAGES.items()
        }
        for name in named - {"ON_AWS", "GUARDS_DATA", "LIMITS", "ALARMS"}
    }


@pytest.mark.parametrize("stage", STAGES)
def test_stage_settings_are_used(stage: str) -> None:
    settings = Settings.from_env({**ENV, "STAGE": stage})

    assert settings.stage == stage
    assert settings.allow_private_targets is not STAGES[stage].on_aws
    defaults = vars_of(STAGES[stage])
    for name in {field.name for field in fields(Settings)} & set(defaults):
        if name not in {"canaries", "forbidden_ports", "limits"}:  # parsed
            assert getattr(settings, name) == defaults[name], name


def test_environment_overrides_the_stage() -> None:
    settings = Settings.from_env(
        {**ENV, "RESULTS_RETENTION_DAYS": "7", "ALLOW_PRIVATE_TARGETS": "true", "MAIL_FROM": ""}
    )

    assert settings.results_retention_days == 7
    assert settings.allow_private_targets is True
    assert settings.hourly_retention_days == STAGES["prod"].hourly_retention_days


@pytest.mark.parametrize(
    ("value", "url", "refused"),
    [
        ("", "https://shop.example:6379/", True),
        ("", "https://shop.example:8443/", False),
        ("8443, 22", "https://shop.example:8443/", True),
        ("8443, 22", "https://shop.example:6379/", False),
        ("none", "https://shop.example:6379/", False),
    ],
)
def test_forbidden_ports_are_configurable(value: str, url: str, *, refused: bool) -> None:
    guard = Runtime(Settings.from_env({**ENV, "FORBIDDEN_PORTS": value})).guard

    with pytest.raises(BadUrl) if refused else nullcontext():
        guard.validate_url(url)


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://monitum.example/v1/targets", True),
        ("http://MONITUM.example.:80/", True),
        ("https://shop.monitum.example/", False),
        ("https://a1b2c3.execute-api.eu-west-1.amazonaws.com/api/ping/x", True),
        ("https://A1B2C3.execute-api.eu-west-1.api.aws/", True),
        ("https://d4e5f6.execute-api.eu-west-1.amazonaws.com/", False),
    ],
)
def test_monitum_rejects_itself_as_a_target(url: str, *, refused: bool) -> None:
    env = {"PUBLIC_URL": "https://Monitum.example/prod", "API_ID": "a1b2c3"}
    guard = Runtime(Settings.from_env({**ENV, **env, "AWS_REGION": "eu-west-1"})).guard

    with pytest.raises(BadUrl, match="own address") if refused else nullcontext():
        guard.validate_url(url)


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({}, ""),
        ({"API_ID": "a1"}, "https://a1.execute-api.eu-west-1.amazonaws.com/api"),
        ({"API_ID": "a1", "HOME_REGION": "cn-north-1"},
         "https://a1.execute-api.cn-north-1.amazonaws.com.cn/api"),
        ({"API_ID": "a1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "STAGE": "local"},
         "http://127.0.0.1:4566"),
        ({"API_ID": "a1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "STAGE": "localstack"},
         "http://127.0.0.1:4566/restapis/a1/api/_user_request_"),
        ({"API_ID": "a1", "PUBLIC_URL": "https://monitum.example/"}, "https://monitum.example"),
    ],
)  # fmt: skip
def test_public_url_is_by_default_that_of_the_api(env: dict[str, str], url: str) -> None:
    assert Settings.from_env({**ENV, "AWS_REGION": "eu-west-1", **env}).public_url == url


def test_only_monitums_port_is_rejected_on_a_shared_host() -> None:
    env = {**ENV, "PUBLIC_URL": "https://host.example:8443/"}
    guard = Runtime(Settings.from_env(env)).guard

    assert guard.validate_url("https://host.example/")
    with pytest.raises(BadUrl, match="own address"):
        guard.validate_url("https://host.example:8443/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TABLE_PREFIX", ""),
        ("STAGE", ""),
        ("STAGE", "staging"),
        ("ALLOW_PRIVATE_TARGETS", "yes"),
        ("CHECK_CONCURRENCY", "0"),
        ("CHECK_CONCURRENCY", "many"),
        ("RESULTS_RETENTION_DAYS", "-1"),
        ("RESULTS_RETENTION_DAYS", "500"),
        ("CHECKS_QUEUE_URL", "checks"),
        ("PUBLIC_URL", "monitum.example"),
        ("MAIL_FROM", "nobody"),
        ("CANARIES", "1.1.1.1"),
        ("FORBIDDEN_PORTS", "25;110"),
        ("FORBIDDEN_PORTS", "0"),
        ("FORBIDDEN_PORTS", "65536"),
        ("FLAP_CHANGES", "-1"),
        ("FLAP_WINDOW_S", "0"),
    ],
)
def test_invalid_values_are_rejected_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({**ENV, name: value})
