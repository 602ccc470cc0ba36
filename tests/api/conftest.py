"""One stage for each module of API tests; every test makes its own people in it."""

from collections.abc import Iterator

import pytest
from schemathesis.schemas import BaseSchema

from tests.api.contract import document
from tests.api.forgetful import Stage, stage_that_forgets
from tests.stages import renewed, standing_stage
from tests.world import Person, World


@pytest.fixture(scope="module")
def standing_world() -> Iterator[World]:
    with standing_stage() as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    """The module's stage, at the beginning of time, with nobody's messages waiting."""
    return renewed(standing_world)


@pytest.fixture
def alice(world: World) -> Person:
    """An owner."""
    return world.user("alice")


@pytest.fixture
def mallory(world: World) -> Person:
    """A stranger: an owner of another account."""
    return world.user("mallory")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """For the tests of the contract: it forgets each call before the next."""
    with stage_that_forgets() as made:
        yield made


@pytest.fixture(scope="module")
def schema(stage: Stage) -> BaseSchema:
    """The document, to call that stage by."""
    return document(stage)
