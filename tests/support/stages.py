"""Stages that are shared by a module of tests, and access to all stored items."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.backends import get_backend

from chalicelib.aws import dynamodb
from chalicelib.common.settings import Settings
from tests.support.blueprint import PREFIX, empty_stage
from tests.support.dynamo import Dynamo
from tests.support.world import START, World

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
}


@contextmanager
def quick_stage() -> Iterator[tuple[World, Dynamo]]:
    """A stage whose tables are not moto's: for tests that make thousands of calls."""
    with module_stage() as world:
        dynamo = Dynamo(PREFIX)
        dynamodb.connection()._client = dynamo  # type: ignore[assignment]
        yield world, dynamo


@contextmanager
def module_stage() -> Iterator[World]:
    """A stage for several tests, each of which makes its own people: owners share nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in _ENV.items():
            patch.setenv(name, value)
        with empty_stage() as found:
            yield World(Settings.from_env({**_ENV, **found}))


def reset_world(world: World) -> World:
    """Reset everything but the stored items."""
    world.clock.time = START
    world.queue.waiting.clear()
    world.checker.script.clear()
    world.checker.seen.clear()
    world.checker.before = lambda: None
    return world


def stored(*tables: str) -> dict[str, list[str]]:
    """All items of the tables (default: all tables) as text.

    Request counts are left out, because rejected requests are counted, too.
    """
    backend = get_backend("dynamodb")["123456789012"]["us-east-1"]
    return {table: sorted(_items(backend, table)) for table in tables or TABLES}


def _items(backend: Any, table: str) -> Iterator[str]:
    """Read moto's backend directly, which is ten times as fast as the client."""
    for item in backend.tables[PREFIX + table].all_items():
        found = dict(item.to_json()["Attributes"])
        found.pop("last_used_at", None)
        text = json.dumps(found, sort_keys=True, default=repr)
        if not any(f'"S": "{counted}:' in text for counted in ("rate", "failures")):
            yield text
