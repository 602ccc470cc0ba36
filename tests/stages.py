"""Stages that stand for a whole module of tests, and everything that is stored in one."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from world import START, World

from chalicelib.ops import resources
from chalicelib.settings import Settings

PREFIX = "monitum-test-"
TABLES = ("users", "targets", "lanes", "results", "system")
_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "STAGE": "test",
    "ALLOW_PRIVATE_TARGETS": "false",
}


@contextmanager
def standing_stage() -> Iterator[World]:
    """A stage for several tests, each of which makes its own people: owners share nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in _ENV.items():
            patch.setenv(name, value)
        with mock_aws():
            yield World(Settings.from_env({**_ENV, **resources.create(PREFIX)}))


def renewed(world: World) -> World:
    """The world as it was at its beginning, but for what is stored."""
    world.clock.time = START
    world.queue.waiting.clear()
    world.checker.script.clear()
    world.checker.seen.clear()
    world.checker.before = lambda: None
    return world


@contextmanager
def calls_by_turns() -> Iterator[None]:
    """Have threads call AWS one at a time, as moto needs it; between calls they overtake freely."""
    lock, call = threading.Lock(), BaseClient._make_api_call

    def by_turns(client: BaseClient, *args: Any) -> Any:
        with lock:
            return call(client, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", by_turns)
        yield


def stored(*tables: str) -> dict[str, list[str]]:
    """Every item of the tables, of all of them where none is named, as text."""
    return {table: sorted(_items(_client(), table)) for table in tables or TABLES}


@cache
def _client() -> Any:
    """A client without the tripwire; as long as no stage stands there is nothing to find."""
    return boto3.client("dynamodb", region_name="us-east-1")


def _items(client: Any, table: str) -> Iterator[str]:
    for page in client.get_paginator("scan").paginate(TableName=PREFIX + table):
        for item in page["Items"]:
            yield json.dumps(item, sort_keys=True, default=repr)
