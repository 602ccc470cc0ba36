"""Fixtures: the command line calls the real API on loopback, with moto in place of AWS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.api_server import ApiServer, run_api_server
from tests.cli.terminal import Terminal
from tests.support.stages import memory_stage, reset_world
from tests.support.world import Person, World


@pytest.fixture(scope="module")
def standing_world() -> Iterator[World]:
    with memory_stage() as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    return reset_world(standing_world)


@pytest.fixture
def alice(world: World) -> Person:
    """An owner."""
    return world.user("alice")


@pytest.fixture
def bob(world: World) -> Person:
    """Another owner and admin."""
    return world.user("bob", admin=True)


@pytest.fixture
def api_server(world: World) -> Iterator[ApiServer]:
    """The API at a URL with a path, like a stage of API Gateway."""
    with run_api_server(world) as server:
        yield server


@pytest.fixture
def terminal(api_server: ApiServer, alice: Person, tmp_path: Path) -> Terminal:
    """Alice's non-interactive shell, logged in through environment variables."""
    return Terminal(tmp_path).logged_in(api_server.url, alice.token)
