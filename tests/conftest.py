"""What all tests share: no network but loopback, AWS by moto, tables as the template has them."""

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, settings

from chalicelib.aws import dynamodb
from chalicelib.common.settings import Settings
from tests.support import leaks, permissions
from tests.support.blueprint import empty_stage, share_models, speed_up_moto
from tests.support.leaks import nothing_leaks  # noqa: F401 - pytest finds it here
from tests.support.permissions import (  # noqa: F401 - pytest finds them here
    policies_allow,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.support.stages import ACTIVE, memory_stage, reset_world
from tests.support.world import Person, World

permissions.name_functions()
leaks.watch()

# A loaded machine is no bug: what is slow is told by tests that measure time themselves.
settings.register_profile("monitum", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("monitum")

share_models()
speed_up_moto()
LONGEST = (
    "api/test_contract.py",
    "targets/test_sorted_targets.py",
    "worker/test_faults.py",
    "ops/test_backup.py",
    "ops/test_deployment_on_aws.py",
    "history/test_stats_api.py",
    "access/test_idempotent_creation.py",
    "probes/test_resource_leaks.py",
    "history/test_erasure.py",
    "history/test_background_load.py",
    "history/test_one_year.py",
    "template/test_validity.py",
)
"""What takes longest begins first, so that no worker is left alone with it at the end."""
_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "STAGE": "local",
    "ALLOW_PRIVATE_TARGETS": "false",
    "CANARIES": "none",
    "RESULTS_RETENTION_DAYS": "90",
    "HOURLY_RETENTION_DAYS": "400",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of LONGEST first; what is in a file stays together."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what is there for good: libraries, and the tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _calls_by_turns() -> Iterator[None]:
    """Have threads call AWS one at a time: moto takes no conditional write for one step."""
    lock, call = threading.RLock(), BaseClient._make_api_call

    def by_turns(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        model = client.meta.service_model
        permissions.note(model.service_name, operation, params)
        if ACTIVE and model.service_name == "dynamodb":
            event = f"provide-client-params.dynamodb.{operation}"
            shape = model.operation_model(operation)
            client.meta.events.emit(event, params=params, model=shape, context={})
            return ACTIVE[-1].call(operation, params)
        with lock:
            return call(client, operation, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", by_turns)
        yield


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Empty tables and queues of a stage; yields the environment that a function would have."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in _ENV.items():
        monkeypatch.setenv(name, value)
    with empty_stage() as found:
        env = {**_ENV, **found}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield env


@pytest.fixture(scope="module")
def shared_stage() -> Iterator[World]:
    """One stage for a whole module of tests: its tables are not emptied between them."""
    with memory_stage() as world:
        yield world


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A stage to test in. Its tables are empty, in memory, and answer as moto's do.

    - Marked `shared_stage`, a module's tests share one: its clock and queues start over for each
      test, but not its tables, so each test looks at its own users' data only.
    - Tests that use `aws`, or are marked `moto`, have moto's tables.
    """
    if request.node.get_closest_marker("shared_stage"):
        yield reset_world(request.getfixturevalue("shared_stage"))
    elif "aws" in request.fixturenames or request.node.get_closest_marker("moto"):
        yield World(Settings.from_env(request.getfixturevalue("aws")))
    else:
        with memory_stage() as world:
            yield world


@pytest.fixture
def alice(world: World) -> Person:
    """An owner."""
    return world.user("alice")


@pytest.fixture
def mallory(world: World) -> Person:
    """A stranger: the owner of another account."""
    return world.user("mallory")


@pytest.fixture
def dynamodb_calls(world: World) -> list[str]:
    """The names of the calls made to DynamoDB, as they are made; clear it before counting."""
    calls: list[str] = []

    def note(model: Any, **_: object) -> None:
        calls.append(model.name)

    dynamodb.connection().client.meta.events.register("provide-client-params.dynamodb", note)
    return calls


@pytest.fixture
def lowest_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have new targets take the lowest free place, which is otherwise left to chance."""
    monkeypatch.setattr("chalicelib.monitoring.lane.secrets.choice", min)
