"""Stages that are shared by a module of tests, and access to all stored items."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from moto.backends import get_backend

from chalicelib.common.settings import Settings
from tests.support.blueprint import PREFIX, queue_urls
from tests.support.dynamo import Dynamo
from tests.support.world import START, UP, World

TABLES = (
    "users",
    "targets",
    "lanes",
    "results",
    "rollups",
    "system",
    "incidents",
    "channels",
    "deliveries",
    "maintenance",
)
_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "STAGE": "local",
    "ALLOW_PRIVATE_TARGETS": "false",
    "RESULTS_RETENTION_DAYS": "90",
    "HOURLY_RETENTION_DAYS": "400",
    "CANARIES": "none",
}


ACTIVE: list[Dynamo] = []
"""The tables in memory that stand in for DynamoDB now; with none, calls go to moto."""


@contextmanager
def quick_stage() -> Iterator[tuple[World, Dynamo]]:
    """A stage with tables in memory. They are some twenty times as fast as moto's."""
    with memory_stage() as world:
        yield world, ACTIVE[-1]


@contextmanager
def memory_stage(more: Mapping[str, str] | None = None) -> Iterator[World]:
    """A stage whose tables are in memory, with fakes for everything else.

    `more` are further variables of its functions' environment.
    """
    with stage_environment() as env:
        ACTIVE.append(Dynamo(PREFIX))
        try:
            yield World(Settings.from_env({**env, **queue_urls(), **(more or {})}))
        finally:
            ACTIVE.pop()


@contextmanager
def stage_environment() -> Iterator[dict[str, str]]:
    """The variables of a function's environment, and no other that concerns AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in _ENV.items():
            patch.setenv(name, value)
        yield dict(_ENV)


def reset_world(world: World) -> World:
    """Reset everything but the stored items."""
    world.clock.time = START
    world.queue.waiting.clear()
    world.checker.script.clear()
    world.checker.seen.clear()
    world.checker.before = lambda: None
    world.checker.judge = lambda _: UP
    return world


def stored(*tables: str) -> dict[str, list[str]]:
    """All items of the tables (default: all tables) as text.

    Request counts are left out, because rejected requests are counted, too.
    """
    return {table: sorted(_items(table)) for table in tables or TABLES}


def _items(table: str) -> Iterator[str]:
    """Read the tables directly, which is ten times as fast as the client."""
    if ACTIVE:
        items = ACTIVE[-1].items(PREFIX + table)
    else:
        backend = get_backend("dynamodb")["123456789012"]["us-east-1"].tables[PREFIX + table]
        items = [item.to_json()["Attributes"] for item in backend.all_items()]
    for item in map(dict, items):
        item.pop("last_used_at", None)
        text = json.dumps(item, sort_keys=True, default=repr)
        if not any(f'"S": "{counted}:' in text for counted in ("rate", "failures")):
            yield text
