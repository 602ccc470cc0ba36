"""The command line against the real API: on loopback, over moto."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.bridge import Bridge, serving
from tests.cli.terminal import Terminal
from tests.support.stages import renewed, standing_stage
from tests.support.world import Person, World


@pytest.fixture(scope="module")
def standing_world() -> Iterator[World]:
    with standing_stage() as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    return renewed(standing_world)


@pytest.fixture
def alice(world: World) -> Person:
    """An owner."""
    return world.user("alice")


@pytest.fixture
def bob(world: World) -> Person:
    """Another owner, who may make users."""
    return world.user("bob", admin=True)


@pytest.fixture
def bridge(world: World) -> Iterator[Bridge]:
    """The API at an address under a path, as a stage of API Gateway is."""
    with serving(world) as made:
        yield made


@pytest.fixture
def terminal(bridge: Bridge, alice: Person, tmp_path: Path) -> Terminal:
    """Alice's shell: logged in by the environment, nobody to ask."""
    return Terminal(tmp_path).logged_in(bridge.url, alice.token)
