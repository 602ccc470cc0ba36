"""The local stack's credentials: random, and readable by their owner only."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from ops.console import Failure

FILE = "credentials.json"


class Credentials(NamedTuple):
    """An access key of the local stack, as AWS has them."""

    access_key_id: str
    secret_access_key: str


def read(directory: Path) -> Credentials:
    """The credentials of the stack in that directory.

    Raises:
        Failure: there are none, because the stack has not been started, or they are damaged.
    """
    path = directory / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(str(content["access_key_id"]), str(content["secret_access_key"]))
    except FileNotFoundError as error:
        raise Failure("there is no local stack: run make up first") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"{path} cannot be read ({error}). Delete it and run make down and make up, which "
            "creates new credentials and keeps all data"
        ) from error


def ensure(directory: Path) -> Credentials:
    """The credentials of the stack in that directory, which are created if there are none."""
    path = directory / FILE
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        created = Credentials(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30))
        write_private(path, json.dumps(created._asdict(), indent=2))
    return read(directory)


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read."""
    unfinished = path.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
