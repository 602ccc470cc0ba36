"""What each function loads at its start: nothing that it does not use.

Asserted on lists of modules, as times depend on the machine; `python -m benchmarks.coldstart` has
those. What only some events need is loaded by the first of them: TLS and HTTP by the first check,
apprise by the first delivery, routes with their schemas and services by the first call.
"""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.coldstart import HANDLERS
from chalicelib.api.route_index import operations
from ops import ROOT

ALL = {
    "botocore",
    "certifi",
    "chalice",
    "dateutil",
    "jmespath",
    "pynamodb",
    "pythonjsonlogger",
    "six",
    "urllib3",
}
"""botocore's own dependencies are among them; it is what DynamoDB and SQS are called with."""
SCHEMAS = {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
CALENDARS = {"cronsim"}
"""Maintenance windows: the schedule alone has nothing to do with them."""
LIBRARIES = {
    "api_handler": ALL | SCHEMAS | {"itsdangerous"},
    "tick": ALL,
    "fan_out": ALL,
}
CORE = {"aws", "common", "monitoring", "runtime"}
ALERTING = CORE | {"access", "alerting", "maintenance"}
OURS: dict[str, set[str]] = {
    "api_handler": {"access", "api", "aws", "common", "runtime"},
    "tick": CORE | {"alerting", "worker"},
    "check": ALERTING | {"history", "worker"},
    "fan_out": CORE | {"alerting", "history"},
    "rollup": ALERTING | {"history"},
    "alert": ALERTING,
    "notify": ALERTING,
}
_TARGETS = {"alerting", "history", "maintenance", "monitoring", "probes.net", "probes", "targets"}
CALLS: dict[str, set[str]] = {
    "alerting.channels.confirmation_routes": {"alerting", "monitoring"},
    "alerting.channels.routes": {"alerting", "monitoring", "probes", "probes.net"},
    "alerting.incidents.routes": {"alerting", "monitoring"},
    "api.site": set(),
    "health.routes": {"alerting", "health", "history", "monitoring"},
    "history.routes": {"alerting", "history", "maintenance", "monitoring"},
    "maintenance.routes": {"maintenance", "monitoring"},
    "status_pages.public_routes": {
        "alerting",
        "history",
        "maintenance",
        "monitoring",
        "status_pages",
        "targets",
    },
    "status_pages.routes": {"monitoring", "status_pages"},
    "targets.bulk_routes": _TARGETS | {"worker"},
    "targets.routes": _TARGETS | {"worker"},
    "users.routes": {"alerting", "monitoring", "users"},
}
"""What the first call of a module's operations loads beyond what the API's start does.

Addresses are read where something is sent to them (for accounts: where hosts' budgets are kept),
cron expressions where maintenance windows are looked at.
"""
START = """
import json, os, sys
# Libraries of the tests, which urllib3 and botocore load where they find them.
sys.modules.update(OpenSSL=None, cryptography=None)
before = set(sys.modules)
import app
for module in sys.argv[1:]:
    # Each begins where the start ended.
    if os.fork() == 0:
        __import__(module)
        print(json.dumps(sorted(set(sys.modules) - before)), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, module
"""


def loaded(handler: str, *modules: str) -> list[list[str]]:
    """What a function's start brings in, with each of what its handler imports."""
    env = {**os.environ, "PYTHONPATH": ".", "STAGE": "prod", "TABLE_PREFIX": "monitum-prod-"}
    done = subprocess.run(
        [sys.executable, "-c", START, *modules],
        env={**env, "_HANDLER": handler},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def libraries(names: list[str]) -> set[str]:
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    return {name for name in tops - {"app", "chalicelib"} if not name.startswith("_")}


def ours(names: list[str]) -> set[str]:
    """The packages of `names`; `probes.net` counts apart, as validating a URL needs no client."""
    parts = [name.split(".")[1:] for name in names if name.startswith("chalicelib.")]
    return {".".join(one[:2]) if one[:2] == ["probes", "net"] else one[0] for one in parts}


@pytest.mark.parametrize("function", HANDLERS)
def test_a_function_loads_what_it_uses_and_nothing_else(function: str) -> None:
    (names,) = loaded(*HANDLERS[function])

    assert libraries(names) == LIBRARIES.get(function, ALL | CALENDARS)
    assert ours(names) == OURS[function]


def test_a_call_of_the_api_loads_its_own_module_and_what_that_uses() -> None:
    modules = sorted({one.module for one in operations()})
    start, *calls = loaded("app.app", "app", *(f"chalicelib.{module}" for module in modules))
    assert not {f"chalicelib.{module}" for module in modules}.intersection(start)
    for module, names in zip(modules, calls, strict=True):
        more = CALLS[module]
        uses_cron = "maintenance" in more
        assert libraries(names) - libraries(start) <= (CALENDARS if uses_cron else set())
        assert (module, ours(names) - ours(start)) == (module, more)


def test_every_function_is_looked_at() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))

    assert set(HANDLERS) == set(config["lambda_functions"])
