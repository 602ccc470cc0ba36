"""The local stack as `make up` sees it: emulator, package, deployment, first user, first tick."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from ops import cloudformation, deploy, emulator, functions, package, regions, stages
from ops.artifacts import DIGEST_OUTPUT
from ops.console import Failure, say, step
from ops.stages import Stage

FIRST_USER = "admin"
# What `make reset` forgets: data, not what was installed and built.
FORGOTTEN = ("state", "s3", "tmp", "stack.json", "ministack.log")


def up() -> None:
    """Bring the local stack up with the code as it is now, and say how to use it."""
    with _alone():
        endpoint = emulator.start()
        stage = stages.stage("local")
        outputs = _deploy_if_changed(stage)
        api_url = stages.api_base(stage, outputs["RestAPIId"])
        token = _token(stage, api_url)
        write_description(endpoint, api_url, token)
        _wake(stage, api_url, token)
    _show(api_url, token)


def down() -> None:
    """Stop the local stack; its data stays for the next `up`."""
    with _alone():
        say("stopped; the data is kept" if emulator.stop() else "the local stack does not run")


def reset() -> None:
    """Stop the local stack and forget users, targets and history."""
    with _alone():
        emulator.stop()
        home = stages.local_directory()
        for name in FORGOTTEN:
            path = home / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    say("the local stack is forgotten; make up starts afresh")


def description() -> dict[str, str]:
    """What stack.json says: api_url, token, endpoint_url and dashboard_url.

    Raises:
        Failure: the local stack was never up.
    """
    try:
        text = _description_file().read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Failure("there is no local stack: make up first") from error
    found: dict[str, str] = json.loads(text)
    return found


def write_description(endpoint: str, api_url: str, token: str) -> None:
    """Write stack.json for its owner's eyes only: it holds the token."""
    content = {
        "api_url": api_url,
        "token": token,
        "endpoint_url": endpoint,
        "dashboard_url": f"{api_url}/",
    }
    path = _description_file()
    unfinished = path.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    unfinished.replace(path)


def _description_file() -> Path:
    return stages.local_directory() / "stack.json"


@contextmanager
def _alone() -> Iterator[None]:
    """Keep two commands from acting on the stack at the same time."""
    stages.local_directory().mkdir(parents=True, exist_ok=True)
    with (stages.local_directory() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  waiting for another command on the local stack")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _deploy_if_changed(stage: Stage) -> dict[str, str]:
    built = build_package(stage)
    outputs, before = cloudformation.outputs(stage), regions.of(stage)
    given = deploy.parameters(stage, built.template)
    known = cloudformation.parameters(cloudformation.find(stage))
    if outputs.get(DIGEST_OUTPUT) != built.digest or known != {**known, **given}:
        outputs = deploy.put(stage, built, given)
    regions.follow(stage, built, before)
    return outputs


def build_package(stage: Stage) -> package.Package:
    """Package the stage's code, in a process of its own: chalice imports the application."""
    directory = stages.local_directory() / "build" / stage.name
    if package.Package(directory).digest == package.inputs(stage.name):
        return package.Package(directory)
    with step("packaging the code"):
        done = subprocess.run(
            [sys.executable, "-m", "ops", "package", "--stage", stage.name],
            cwd=stages.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise Failure("the code cannot be packaged:\n" + (done.stderr or done.stdout)[-3000:])
    return package.Package(directory)


def _token(stage: Stage, api_url: str) -> str:
    """The first user's token: the one of the last time while the API takes it."""
    with step("looking for the first user"):
        known = description().get("token", "") if _description_file().exists() else ""
        if known and _is_accepted(api_url, known):
            return known
        return create_user(stage, FIRST_USER, admin=True)


def create_user(stage: Stage, name: str, *, admin: bool) -> str:
    """Make a user in a process of its own and return the token."""
    arguments = ["user", "--name", name, "--stage", stage.name, "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "ops", *arguments, *(["--admin"] if admin else [])],
        cwd=stages.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failure("could not make the user:\n" + done.stderr[-3000:])
    return done.stdout.strip()


def _is_accepted(api_url: str, token: str) -> bool:
    headers = {"Authorization": f"Token {token}"}
    request = urllib.request.Request(f"{api_url}/v1/me", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30):
            return True
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return False
        raise Failure(f"the API answers {error.code} to GET {api_url}/v1/me") from error
    except OSError as error:
        raise Failure(f"the API does not answer at {api_url}: {error}") from error


def _wake(stage: Stage, api_url: str, token: str) -> None:
    """Run each function once: the first call loads it, and the schedule begins at once."""
    with step("waking the functions"), ThreadPoolExecutor() as pool:
        api = pool.submit(_is_accepted, api_url, token)
        functions.wake(stage)
        if not api.result():
            raise Failure("the API refuses the token it was given just now")


def _show(api_url: str, token: str) -> None:
    say(f"""
Monitum runs.

  API        {api_url}
  dashboard  {api_url}/
  token      {token}

Watch your first target:

  curl -X POST {api_url}/v1/targets \\
    -H 'Authorization: Token {token}' -H 'Content-Type: application/json' \\
    -d '{{"name": "Example", "kind": "http", "url": "https://example.com/", "interval_s": 60}}'

or .venv/bin/monitum targets add Example --url https://example.com/

make logs follows the functions, make down stops everything and keeps the data.""")
