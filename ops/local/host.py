"""Runs ministack behind the front. It is started in ministack's own environment, by emulator.py.

It imports only the standard library, ministack and the modules beside it that do the same.
"""

import asyncio
import copy
import hashlib
import json
import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any

from ops.local.front import Application, Front, Receive, Scope, Send
from ops.local.saver import Saver
from ops.local.snapshots import Damaged, Snapshots

CREDENTIALS = "MONITUM_CREDENTIALS"
"""The variable with the path of the credentials file."""
API_NAME = "monitum-local"
NOTICE = "notice: "
"""The start of lines in the log that `make up` shows."""
LOGS_KEPT_S = 86_400
EMAILS_KEPT = 200
PRUNE_EVERY_S = 3600
SOURCES = ("host.py", "front.py", "guard.py", "saver.py", "snapshots.py")
"""The files that run in the emulator's process: a change of one requires a restart."""


def main() -> None:
    """Serve until the process is told to stop."""
    # Functions inherit the environment, so the variable is removed from it.
    path = Path(os.environ.pop(CREDENTIALS))
    credentials = json.loads(path.read_text(encoding="utf-8"))
    keys = (credentials["access_key_id"], credentials["secret_access_key"])

    from ministack import app

    _verify_all_signatures()
    _randomize_function_credentials()
    sessions = _sessions()
    account = os.environ["MINISTACK_ACCOUNT_ID"]
    sessions[keys[0]] = {
        "Arn": f"arn:aws:iam::{account}:root",
        "UserId": account,
        "SecretAccessKey": keys[1],
    }
    _delete_in_background(list(Path(os.environ["TMPDIR"]).iterdir()))
    saver = _persist(app, Snapshots(Path(os.environ["STATE_DIR"])))
    app.app = Front(
        _saving(app.app, saver),
        int(os.environ["GATEWAY_PORT"]),
        keys,
        sessions.__contains__,
        saver.note_change,
        _api_id,
    )
    app.main()


def _delete_in_background(left: Iterable[Path]) -> None:
    """Delete the code that functions of killed processes have left: tens of thousands of files."""

    def delete() -> None:
        for path in left:
            shutil.rmtree(path, ignore_errors=True)

    threading.Thread(target=delete, daemon=True).start()


def _persist(app: Any, snapshots: Snapshots) -> Saver:
    """Load the newest intact state at the start, and save the state while the process runs.

    ministack itself saves it at a clean stop only, and file by file.
    """
    from ministack.core import persistence
    from ministack.services import lambda_svc

    try:
        state, problems = snapshots.newest_intact()
    except Damaged as error:
        sys.exit(f"{error}. Restore {snapshots.directory} from a backup, or run make reset")
    for problem in problems:
        print(f"{NOTICE}{problem}; continuing with the one before", flush=True)
    if state is not None:
        persistence.STATE_DIR = str(state)
    blobs: dict[str, bytes] = {}

    def keep(code: bytes) -> str:
        digest = hashlib.sha256(code).hexdigest()
        blobs[digest] = code
        return digest

    _replace(lambda_svc, "_write_code_blob", keep)
    _replace(lambda_svc, "_prune_orphan_code_blobs", lambda _used: None)

    def write() -> None:
        """Save the state; for a process that ends afterwards."""
        blobs.clear()
        # Nothing else uses this process's memory, so nothing has to be copied.
        copy.deepcopy = lambda value, *_: value
        files = {}
        for name, get_state in app._build_persistence_save_dict().items():
            if (state := get_state()) is not None:
                version = persistence._state_format_version(name)
                content = {"__ministack_format__": version, "payload": state}
                text = json.dumps(content, default=persistence._json_default)
                files[f"{name}.json"] = text.encode()
        snapshots.save(files, blobs)

    saver = Saver(write)
    _replace(app, "save_all", lambda _services: saver.finish())
    return saver


async def _prune_forever() -> None:
    """Delete old log lines and emails, which ministack keeps for ever and in memory."""
    from ministack.services import cloudwatch_logs, ses

    while True:
        oldest = (time.time() - LOGS_KEPT_S) * 1000
        for _, group in list(cloudwatch_logs._log_groups.all_items()):
            for name, stream in list(group["streams"].items()):
                with cloudwatch_logs._log_events_lock:
                    events = [one for one in stream["events"] if one["timestamp"] >= oldest]
                    stream["events"] = events
                if not events and stream.get("creationTime", 0) < oldest:
                    group["streams"].pop(name, None)
        for _, emails in list(ses._sent_emails.all_items()):
            if isinstance(emails, list):
                del emails[:-EMAILS_KEPT]
        await asyncio.sleep(PRUNE_EVERY_S)


def _saving(application: Application, saver: Saver) -> Application:
    """The application, with tasks that save and prune the state once it has started."""
    tasks: list[asyncio.Task[None]] = []

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_start(message: MutableMapping[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                tasks.extend(map(asyncio.create_task, (saver.run(), _prune_forever())))

        await application(scope, receive, send_and_start if scope["type"] == "lifespan" else send)

    return call


def _api_id() -> str | None:
    """The id of Monitum's API, which changes when its routes do; None before it is deployed."""
    from ministack.services import apigateway_v1

    apis = apigateway_v1._rest_apis.all_items()
    return next((key[-1] for key, api in apis if api["name"] == API_NAME), None)


def _sessions() -> dict[str, dict[str, str]]:
    """The temporary credentials of ministack by access key, among them those of functions."""
    from ministack.services import sts

    found: dict[str, dict[str, str]] = sts._sessions
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
