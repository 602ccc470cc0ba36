"""The settings of every stage: one table in the code, the same one in the handbook."""

from dataclasses import fields
from pathlib import Path

import pytest

from chalicelib.settings import STAGES, Defaults, Settings, SettingsError

HANDBOOK = Path(__file__).parents[1] / "docs" / "operations.md"
ENV = {"TABLE_PREFIX": "monitum-test-", "STAGE": "prod"}


def documented() -> dict[str, dict[str, str]]:
    """The handbook's table of settings: `{variable: {stage: value}}`."""
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


def test_the_handbook_has_every_setting_of_every_stage() -> None:
    named = {field.name.upper() for field in fields(Defaults)} - {"ON_AWS", "GUARDS_DATA", "ALARMS"}

    assert documented() == {
        name: {
            stage: str(getattr(defaults, name.lower()))
            .replace("True", "true")
            .replace("False", "false")
            for stage, defaults in STAGES.items()
        }
        for name in named
    }


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_s_own_settings_hold(stage: str) -> None:
    settings = Settings.from_env({**ENV, "STAGE": stage})

    assert settings.stage == stage
    assert settings.allow_private_targets is not STAGES[stage].on_aws


def test_the_environment_takes_the_place_of_a_stage_s_value() -> None:
    settings = Settings.from_env(
        {**ENV, "RESULTS_RETENTION_DAYS": "7", "ALLOW_PRIVATE_TARGETS": "true", "MAIL_FROM": ""}
    )

    assert settings.results_retention_days == 7
    assert settings.allow_private_targets is True
    assert settings.hourly_retention_days == STAGES["prod"].hourly_retention_days


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
        ("FLAP_CHANGES", "-1"),
        ("FLAP_WINDOW_S", "0"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({**ENV, name: value})
