"""Fixtures for tests of logs and metrics."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def restore_logging() -> Iterator[None]:
    """Restore the loggers that `logs.configure` changes."""
    root, ours = logging.getLogger(), logging.getLogger("chalicelib")
    before = root.handlers, root.level, ours.level
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
