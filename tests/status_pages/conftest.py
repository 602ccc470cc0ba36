"""The fixtures of status pages."""

import pytest

from tests.support.visitors import visitor_of
from tests.support.world import Person, World


@pytest.fixture
def visitor(world: World) -> Person:
    """A person without a token."""
    return visitor_of(world)
