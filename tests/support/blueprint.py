"""Creates an empty stage on moto quickly, because most tests start with one."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.loaders import create_loader
from moto import mock_aws
from moto.backends import get_backend
from moto.core.serialize import BaseJSONSerializer

from ops import resources

PREFIX = "monitum-test-"


@contextmanager
def empty_stage() -> Iterator[dict[str, str]]:
    """A stage's tables and queues on moto; yields the environment variables that name them.

    The tables are copies of a set created once: creating them takes longer than most tests.
    """
    made = _tables()
    with mock_aws():
        _dynamodb().tables.update(copy.deepcopy(made))
        yield resources.environment(PREFIX, resources.create_queues(PREFIX))


@cache
def queue_urls() -> dict[str, str]:
    """The environment variables that name a stage's tables and queues."""
    with mock_aws():
        return resources.environment(PREFIX, resources.create_queues(PREFIX))


@cache
def _tables() -> dict[str, Any]:
    with mock_aws():
        resources.create_tables(PREFIX)
        return dict(copy.deepcopy(_dynamodb().tables))


def _dynamodb() -> Any:
    return get_backend("dynamodb")["123456789012"]["us-east-1"]


@cache
def speed_up_moto() -> None:
    """Patch moto to serialize only the members that an item's values have.

    moto tries every possible member under every possible name, which takes a third of the tests'
    time.
    """
    structure = BaseJSONSerializer._serialize_type_structure

    def serialize(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or not key:
            structure(self, serialized, value, shape, key)
            return
        found: dict[str, Any] = {}
        for kind, inner in value.items():
            self._serialize(found, inner, shape.members[kind], kind)
        self._default_serialize(serialized, found, shape, key)

    setattr(BaseJSONSerializer, structure.__name__, serialize)


@cache
def share_models() -> None:
    """Share botocore's loaded service models between all sessions of the process."""
    loader = create_loader()
    vars(botocore.session)["create_loader"] = lambda *_: loader
