"""What each function loads at its start: nothing that it does not use.

Asserted on lists of modules, as times depend on the machine; `python -m benchmarks.coldstart` has
those. What only some events need is loaded by the first of them: TLS and HTTP by the first check,
apprise by the first delivery.
"""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.coldstart import HANDLERS
from chalicelib.ops.package import ROOT

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
    "api_handler": ALL | CALENDARS | SCHEMAS | {"itsdangerous"},
    "tick": ALL,
}
CORE = {"crons", "domain", "limits", "logs", "metrics", "services", "settings", "store"}
OURS = {
    "api_handler": CORE | {"api", "checkers", "notifiers", "web"},
    "tick": CORE - {"crons"},
    "alert": CORE | {"notifiers"},
    "notify": CORE | {"notifiers"},
}
CODE = """
import json, sys
# Libraries of the tests, which urllib3 and botocore load where they find them.
sys.modules.update(OpenSSL=None, cryptography=None, brotli=None)
before = set(sys.modules)
import app
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest) -> list[str]:
    """The modules that a function's start brings in."""
    handler, module = HANDLERS[request.param]
    env = {**os.environ, "PYTHONPATH": ".", "STAGE": "prod", "TABLE_PREFIX": "monitum-prod-"}
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(module=module)],
        env={**env, "_HANDLER": handler},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("loaded", "function"), [(name, name) for name in HANDLERS], indirect=["loaded"]
)
def test_a_function_loads_what_it_uses_and_nothing_else(loaded: list[str], function: str) -> None:
    tops = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    libraries = {name for name in tops - {"app", "chalicelib"} if not name.startswith("_")}
    ours = {name.split(".")[1] for name in loaded if name.startswith("chalicelib.")}

    assert libraries == LIBRARIES.get(function, ALL | CALENDARS)
    assert ours - {"metrics"} == OURS.get(function, CORE) - {"metrics"}


def test_every_function_is_looked_at() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))

    assert set(HANDLERS) == set(config["lambda_functions"])
