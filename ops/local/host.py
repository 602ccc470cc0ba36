"""Runs ministack behind the front. It is started in ministack's own environment, by emulator.py.

It imports only the standard library, ministack and the modules beside it that do the same.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from ops.local.front import Front

CREDENTIALS = "MONITUM_CREDENTIALS"
"""The variable with the path of the credentials file."""
SOURCES = ("host.py", "front.py", "guard.py")
"""The files that run in the emulator's process: a change of one requires a restart."""


def main() -> None:
    """Serve until the process is told to stop."""
    # Functions inherit the environment, so the variable is removed from it.
    path = Path(os.environ.pop(CREDENTIALS))
    credentials = json.loads(path.read_text(encoding="utf-8"))

    from ministack import app

    _verify_all_signatures()
    _randomize_function_credentials()
    sessions = _sessions()
    account, secret = os.environ["MINISTACK_ACCOUNT_ID"], credentials["secret_access_key"]
    sessions[credentials["access_key_id"]] = {
        "Arn": f"arn:aws:iam::{account}:root",
        "UserId": account,
        "SecretAccessKey": secret,
    }
    app.app = Front(app.app, int(os.environ["GATEWAY_PORT"]), secret, sessions.__contains__)
    app.main()


def _sessions() -> dict[str, dict[str, str]]:
    """The temporary credentials of ministack by access key, among them those of functions."""
    from ministack.services import sts

    found: dict[str, dict[str, str]] = sts._sessions  # noqa: SLF001 - there is no other access
    return found


def _verify_all_signatures() -> None:
    """Trust no access key: ministack does not check signatures of `test`, of account ids and none.

    The user's key is a session instead, whose signature is checked.
    """
    from ministack.core import iam_evaluator
    from ministack.services import sts

    for module in (iam_evaluator, sts):
        _replace(module, "is_root_access_key", lambda _access_key_id: False)


def _randomize_function_credentials() -> None:
    """Make functions' credentials random: ministack computes them from the names of the roles."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    salt, original = secrets.token_hex(32), lambda_runtime.execution_credentials

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        path, _, role = config.get("Role", "").rpartition("/")
        found: dict[str, str] = original({**config, "Role": f"{path}/{salt}/{role}"})
        return found

    for module in (lambda_runtime, lambda_svc):
        _replace(module, "execution_credentials", execution_credentials)


def _replace(module: Any, name: str, value: object) -> None:
    """Set an attribute that has to exist, so that a changed ministack is noticed at the start."""
    getattr(module, name)
    setattr(module, name, value)
