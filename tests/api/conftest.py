"""A stage whose contents are reset before each call, and the document to call it by."""

from collections.abc import Iterator

import pytest
from schemathesis.schemas import BaseSchema

from tests.api.contract import document
from tests.api.isolated_stage import Stage, stage_that_forgets


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with stage_that_forgets() as made:
        yield made


@pytest.fixture(scope="module")
def schema(stage: Stage) -> BaseSchema:
    return document(stage)
