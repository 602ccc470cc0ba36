"""What the command line knows of targets and channels is what the API says of them."""

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
from monitum_cli.manifest.compare import same
from monitum_cli.manifest.shape import (
    CHANNELS,
    EXPECT,
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
    """The fields as the API names them; REQUIRED where there is no default."""
    found = {}
    for name, field in model.model_fields.items():
        value = field.get_default(call_default_factory=True)
        found[field.alias or name] = REQUIRED if value is PydanticUndefined else value
    return found


def as_the_api_has_it(fields: Fields) -> dict[str, Any]:
    named = {"channels": "channel_ids"}
    return {named.get(name, name): value for name, value in fields.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_targets(kind: str) -> None:
    theirs = defaults(KINDS[kind])
    del theirs["name"]
    expect = theirs.pop("expect")
    ours = as_the_api_has_it(TARGETS.kinds[kind])
    assert ours.pop("expect") == {}
    assert ours == theirs
    assert EXPECT[kind] == defaults(type(expect))


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_kinds_of_channels(kind: str) -> None:
    theirs = defaults(CHANNEL_KINDS[kind])
    del theirs["name"]
    assert CHANNELS.kinds[kind] == theirs


def test_what_is_sent_again_is_made_once() -> None:
    made = {route.path for route in ALL if route.status == 201 and "{" not in route.path}
    assert made == {
        route.path for route in ALL if "Idempotency-Key" in route.takes and route.status == 201
    }


def test_maintenance_windows() -> None:
    theirs = defaults(maintenance_schemas.WindowIn)
    del theirs["name"]
    ours = dict(MAINTENANCE.kinds[""])
    ours["target_ids"] = ours.pop("targets")
    assert ours == theirs


def test_status_pages_and_their_sections() -> None:
    theirs = defaults(status_pages_schemas.PageIn)
    del theirs["name"]
    ours = dict(PAGES.kinds[""])
    ours["target_ids"] = ours.pop("targets")
    assert ours == theirs
    part = dict(PAGES.parts["sections"].kinds[""])
    part["target_ids"] = part.pop("targets")
    assert part == defaults(status_pages_schemas.SectionIn)


def test_no_kind_is_missing() -> None:
    assert kinds_of(get_args(kind_schemas.AnyTarget)[0]) == set(KINDS) == set(TARGETS.kinds)
    union = channels_schemas.ChannelIn.model_fields["root"].annotation
    assert kinds_of(union) == set(CHANNEL_KINDS) == set(CHANNELS.kinds)


def kinds_of(union: Any) -> set[str]:
    return {get_args(one.model_fields["kind"].annotation)[0] for one in get_args(union)}


def test_intervals() -> None:
    assert get_args(get_args(kind_schemas.Interval)[0]) == INTERVALS_S


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), (None, False, False),
        ([1, [True]], [1, [1]], False), ({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {"b": 1}, False),
        ("1", 1, False), ([], {}, False),
    ],
)  # fmt: skip
def test_values_are_compared_as_json(one: Any, other: Any, *, is_same: bool) -> None:
    assert same(one, other) is is_same
    assert same(other, one) is is_same
