"""What all tests share: no network but loopback, AWS by moto, tables as the template has them."""

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws
from world import World

from chalicelib.ops import resources
from chalicelib.settings import Settings

_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "STAGE": "test",
    "ALLOW_PRIVATE_TARGETS": "false",
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Empty tables and queues of a stage; yields the environment that a function would have."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in _ENV.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        env = {**_ENV, **resources.create("monitum-test-")}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield env


@pytest.fixture
def world(aws: dict[str, str]) -> World:
    """A stage to test in."""
    return World(Settings.from_env(aws))
