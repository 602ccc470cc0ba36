"""The schema of manifests agrees with the schemas of the API."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from chalicelib.alerting.channels import schemas as channels_schemas
from chalicelib.maintenance import schemas as maintenance_schemas
from chalicelib.routes import ALL
from chalicelib.status_pages import schemas as status_pages_schemas
from chalicelib.targets import kind_schemas
from monitum_cli.importers.common import INTERVALS_S
from monitum_cli.manifest.diff import json_equal
from monitum_cli.manifest.schema import (
    CHANNELS,
    EXPECTATIONS,
    MAINTENANCE,
    PAGES,
    REQUIRED,
    TARGETS,
    Fields,
)

KINDS: dict[str, type[BaseModel]] = {
    "http": kind_schemas.HttpTarget,
    "tcp": kind_schemas.TcpTarget,
    "tls": kind_schemas.TlsTarget,
    "dns": kind_schemas.DnsTarget,
}
CHANNEL_KINDS: dict[str, type[BaseModel]] = {
    "webhook": channels_schemas.WebhookChannel,
    "email": channels_schemas.EmailChannel,
    "apprise": channels_schemas.AppriseChannel,
}


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return the API's fields with their defaults, REQUIRED for those without one."""
    fields = {}
    for name, field in model.model_fields.items():
        value = field.get_default(call_default_factory=True)
        fields[field.alias or name] = REQUIRED if value is PydanticUndefined else value
    return fields


def with_api_names(fields: Fields) -> dict[str, Any]:
    api_names = {"channels": "channel_ids"}
    return {api_names.get(name, name): value for name, value in fields.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_targets(kind: str) -> None:
    api = defaults(KINDS[kind])
    del api["name"]
    expect = api.pop("expect")
    cli = with_api_names(TARGETS.kinds[kind])
    assert cli.pop("expect") == {}
    assert cli == api
    assert EXPECTATIONS[kind] == defaults(type(expect))


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_channels(kind: str) -> None:
    api = defaults(CHANNEL_KINDS[kind])
    del api["name"]
    assert CHANNELS.kinds[kind] == api


def test_every_create_accepts_an_idempotency_key() -> None:
    creates = {route.path for route in ALL if route.status == 201 and "{" not in route.path}
    assert creates == {
        route.path
        for route in ALL
        if "Idempotency-Key" in route.request_headers and route.status == 201
    }


def test_maintenance_windows() -> None:
    api = defaults(maintenance_schemas.WindowIn)
    del api["name"]
    cli = dict(MAINTENANCE.kinds[""])
    cli["target_ids"] = cli.pop("targets")
    assert cli == api


def test_status_pages_and_their_sections() -> None:
    api = defaults(status_pages_schemas.PageIn)
    del api["name"]
    cli = dict(PAGES.kinds[""])
    cli["target_ids"] = cli.pop("targets")
    assert cli == api
    part = dict(PAGES.parts["sections"].kinds[""])
    part["target_ids"] = part.pop("targets")
    assert part == defaults(status_pages_schemas.SectionIn)


def test_kinds_are_complete() -> None:
    assert kinds_of(get_args(kind_schemas.AnyTarget)[0]) == set(KINDS) == set(TARGETS.kinds)
    union = channels_schemas.ChannelIn.model_fields["root"].annotation
    assert kinds_of(union) == set(CHANNEL_KINDS) == set(CHANNELS.kinds)


def kinds_of(union: Any) -> set[str]:
    return {get_args(one.model_fields["kind"].annotation)[0] for one in get_args(union)}


def test_intervals() -> None:
    assert get_args(get_args(kind_schemas.Interval)[0]) == INTERVALS_S


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), (None, False, False),
        ([1, [True]], [1, [1]], False), ({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {"b": 1}, False),
        ("1", 1, False), ([], {}, False),
    ],
)  # fmt: skip
def test_json_equality(one: Any, other: Any, *, is_equal: bool) -> None:
    assert json_equal(one, other) is is_equal
    assert json_equal(other, one) is is_equal
