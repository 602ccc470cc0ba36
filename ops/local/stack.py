"""The commands `make up`, `down` and `reset`: emulator, deployment, first user, first tick."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests

from ops import credentials, stages
from ops.console import Failure, run_command, say, step
from ops.deployment import cloudformation, deploy, functions, release
from ops.deployment.artifacts import DIGEST_OUTPUT
from ops.local import emulator, front
from ops.packaging.package import build_in_subprocess
from ops.stages import Stage

FIRST_USER = "admin"
# The data that `make reset` deletes; environments and packages are kept.
DATA = ("state", "s3", "tmp", "stack.json", "ministack.log", credentials.FILE)


def up() -> None:
    """Start the local stack, deploy the current code and print how to use it."""
    with _lock():
        endpoint = emulator.start()
        stage = stages.stage("local")
        outputs = _deploy_if_changed(stage)
        api_url = stages.api_base(stage, outputs["RestAPIId"])
        token = _token(stage, api_url)
        write_description(endpoint, api_url, token)
        _wake(stage, api_url, token)
    _show(api_url, token)


def down() -> None:
    """Stop the local stack and keep its data for the next `up`."""
    with _lock():
        say("stopped; the data is kept" if emulator.stop() else "the local stack is not running")


def reset() -> None:
    """Stop the local stack and delete users, targets and history."""
    with _lock():
        emulator.stop()
        home = stages.local_directory()
        for name in DATA:
            path = home / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    say("the local stack's data is deleted; make up starts a new one")


def mail() -> None:
    """Print the emails that the local stack sent, oldest first."""
    stage = stages.stage("local")
    secret = credentials.read(stages.local_directory()).secret_access_key
    url, headers = f"{stage.endpoint_url}{front.MAILS}", {"Authorization": f"Bearer {secret}"}
    try:
        response = requests.get(url, headers=headers, timeout=30)
        messages = response.json()["messages"].get(emulator.ACCOUNT, [])
    except (requests.RequestException, ValueError, KeyError) as error:
        raise Failure("the local stack is not running: run make up first") from error
    for message in messages:
        say(f"To {', '.join(message['To'])}: {message['Subject']}\n\n{message['BodyText']}\n")
    say(f"{len(messages)} emails")


def description() -> dict[str, str]:
    """The content of stack.json: api_url, token, endpoint_url and dashboard_url.

    Raises:
        Failure: the local stack has not been started.
    """
    try:
        text = _description_file().read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Failure("there is no local stack: run make up first") from error
    found: dict[str, str] = json.loads(text)
    return found


def write_description(endpoint: str, api_url: str, token: str) -> None:
    """Write stack.json, readable by its owner only because it contains the token."""
    content = {
        "api_url": api_url,
        "token": token,
        "endpoint_url": endpoint,
        "dashboard_url": f"{api_url}/",
    }
    credentials.write_private(_description_file(), json.dumps(content, indent=2))


def _description_file() -> Path:
    return stages.local_directory() / "stack.json"


@contextmanager
def _lock() -> Iterator[None]:
    """Prevent two commands from changing the stack at the same time."""
    stages.local_directory().mkdir(parents=True, exist_ok=True)
    with (stages.local_directory() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  waiting for another command on the local stack")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _deploy_if_changed(stage: Stage) -> dict[str, str]:
    built = build_in_subprocess(stage)
    outputs = cloudformation.outputs(stage)
    given = deploy.parameters(stage, built.template)
    known = cloudformation.parameters(cloudformation.find(stage))
    if outputs.get(DIGEST_OUTPUT) != built.digest or known != {**known, **given}:
        outputs = release.apply(stage, built, given)
    return outputs


def _token(stage: Stage, api_url: str) -> str:
    """The first user's token: the stored one if the API accepts it, else that of a new user."""
    with step("looking for the first user"):
        stored = description().get("token", "") if _description_file().exists() else ""
        if stored and _is_accepted(api_url, stored):
            return stored
        return create_user(stage, FIRST_USER, admin=True)


def create_user(stage: Stage, name: str, *, admin: bool) -> str:
    """Create a user in a separate process and return the token."""
    arguments = ["user", "--name", name, "--stage", stage.name, "--quiet"]
    options = ["--admin"] if admin else []
    return run_command(*arguments, *options, error="could not create the user").strip()


def _is_accepted(api_url: str, token: str) -> bool:
    url, headers = f"{api_url}/v1/me", {"Authorization": f"Token {token}"}
    try:
        response = requests.get(url, headers=headers, timeout=30)
    except requests.RequestException as error:
        raise Failure(f"the API does not respond at {api_url}: {error}") from error
    if not response.ok and response.status_code != 401:
        raise Failure(f"the API returns {response.status_code} for GET {url}")
    return response.ok


def _wake(stage: Stage, api_url: str, token: str) -> None:
    """Invoke each function once, which loads it and runs the scheduler at once.

    Also repair the schedule: after a power cut, some tables may be older than the others.
    """
    repair = partial(run_command, error="the schedule could not be repaired")
    with step("invoking the functions"), ThreadPoolExecutor() as pool:
        api = pool.submit(_is_accepted, api_url, token)
        repaired = pool.submit(repair, "repair", "--stage", stage.name)
        functions.wake(stage)
        repaired.result()
        if not api.result():
            raise Failure("the API rejects the new token")


def _show(api_url: str, token: str) -> None:
    say(f"""
Monitum is running.

  API        {api_url}
  dashboard  {api_url}/
  token      {token}

Create a first target:

  curl -X POST {api_url}/v1/targets \\
    -H 'Authorization: Token {token}' -H 'Content-Type: application/json' \\
    -d '{{"name": "Example", "kind": "http", "url": "https://example.com/", "interval_s": 60}}'

or .venv/bin/monitum targets add Example --url https://example.com/

make logs follows the functions, make down stops everything and keeps the data.""")
