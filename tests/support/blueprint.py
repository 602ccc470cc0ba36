"""An empty stage on moto, as fast as it can be had: most tests begin with one."""

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
    """moto's AWS with a stage's tables and queues; yields the variables that name them.

    The tables are copies of tables that were made once: making them takes longer than most tests.
    """
    made = _tables()
    with mock_aws():
        _dynamodb().tables.update(copy.deepcopy(made))
        yield resources.environment(PREFIX, resources.create_queues(None, PREFIX))


@cache
def _tables() -> dict[str, Any]:
    with mock_aws():
        resources.create_tables(None, PREFIX)
        return dict(copy.deepcopy(_dynamodb().tables))


def _dynamodb() -> Any:
    return get_backend("dynamodb")["123456789012"]["us-east-1"]


@cache
def speed_up_moto() -> None:
    """Have moto look for those members of an item's values that are there.

    It looks for every member that a value could have under every name that it could have, which
    takes a third of the time of tests.
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
    """Have every session of this process read the services' descriptions once, not each anew."""
    loader = create_loader()
    vars(botocore.session)["create_loader"] = lambda *_: loader
