"""A stage that is reset before each call, and the OpenAPI document that describes it."""

from collections.abc import Iterator

import pytest
from schemathesis.schemas import BaseSchema

from tests.api.contract import document
from tests.api.isolated_stage import Stage, isolated_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with isolated_stage() as stage:
        yield stage


@pytest.fixture(scope="module")
def schema(stage: Stage) -> BaseSchema:
    return document(stage)
