"""The API's URL and the token.

Looked for in this order: `MONITUM_URL` with `MONITUM_TOKEN`, the login stored by `monitum login`,
and, inside a checkout of Monitum, the local stack of `make up`.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitum_cli.errors import CliError, ExitCode

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The API's URL without a trailing slash, the token, and where both were found."""

    url: str
    token: str = field(repr=False)
    source: str


def find_credentials(env: Mapping[str, str], directory: Path) -> Credentials:
    """Return the credentials to use in `directory`; raises CliError if there are none."""
    url, token = env.get("MONITUM_URL", ""), env.get("MONITUM_TOKEN", "")
    stored = read_login(env)
    if url and token:
        return Credentials(check_url(url, env), check_token(token), "the environment")
    if token:
        raise _denied("MONITUM_TOKEN is set without MONITUM_URL: set both")
    if url:
        # Never send a token to another URL than the one it was issued for.
        if stored is None or stored.url != check_url(url, env):
            raise _denied("MONITUM_URL is set without MONITUM_TOKEN: set both, or log in there")
        return stored
    found = stored or _local_stack(env, directory)
    if found is None:
        raise _denied("not logged in: run `monitum login`, or set MONITUM_URL and MONITUM_TOKEN")
    return found


def check_url(url: str, env: Mapping[str, str]) -> str:
    """Normalize a URL; raises CliError if it is invalid or would expose the token."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _invalid_url(url) from error
    if host is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise _invalid_url(url)
    if parts.username is not None:
        raise CliError("the URL must not contain a user name or password", ExitCode.USAGE)
    if parts.scheme == "http" and host not in _LOOPBACK and not env.get("MONITUM_ALLOW_HTTP"):
        raise CliError(
            f"http://{host} would send the token unencrypted: use https://,"
            " or set MONITUM_ALLOW_HTTP=1",
            ExitCode.USAGE,
        )
    return url.strip().rstrip("/")


def check_token(token: str) -> str:
    """Strip a token; raises CliError, which does not contain it, if it cannot be one."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise CliError("invalid token: expected one word such as mon_…", ExitCode.USAGE)
    return token


def read_login(env: Mapping[str, str]) -> Credentials | None:
    """Return the stored login, if any; raises CliError if other users can read the file."""
    path = _login_file(env)
    content = _read_json(path)
    if content is None:
        return None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise _denied(f"{path} contains a token and is readable by others: run chmod 600 {path}")
    url, token = content.get("url"), content.get("token")
    if not isinstance(url, str) or not isinstance(token, str):
        raise _denied(f"{path} is not a stored login: run `monitum login` to replace it")
    return Credentials(check_url(url, env), check_token(token), str(path))


def write_login(env: Mapping[str, str], credentials: Credentials) -> Path:
    """Store a login in a file that only its owner can read.

    The file is written under another name and renamed, so that it is never incomplete.
    """
    path = _login_file(env)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump({"url": credentials.url, "token": credentials.token}, file)
        temporary.replace(path)
    except OSError as error:
        raise CliError(f"could not write {path}: {error.strerror}") from error
    return path


def delete_login(env: Mapping[str, str]) -> bool:
    """Delete the stored login; returns False if there is none."""
    try:
        _login_file(env).unlink()
    except FileNotFoundError:
        return False
    return True


def _login_file(env: Mapping[str, str]) -> Path:
    if path := env.get("MONITUM_CONFIG"):
        return Path(path)
    base = env.get("XDG_CONFIG_HOME") or Path(env.get("HOME") or Path.home()) / ".config"
    return Path(base) / "monitum" / "login.json"


def _local_stack(env: Mapping[str, str], directory: Path) -> Credentials | None:
    """Return the login that `make up` wrote, inside a checkout of Monitum.

    Only a loopback URL counts: a checkout from somebody else could otherwise redirect what is
    applied inside it, secrets included, to their server.
    """
    for root in (directory, *directory.parents):
        if not (root / ".chalice").is_dir():
            continue
        state = Path(env.get("MONITUM_LOCAL") or root / ".local")
        content = _read_json(state / "stack.json") or {}
        url, token = str(content.get("api_url", "")), str(content.get("token", ""))
        if token and urlsplit(url).hostname in _LOOPBACK:
            return Credentials(check_url(url, env), check_token(token), "the local stack")
    return None


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None if there is no file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _denied(f"could not read {path} as JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def _invalid_url(url: str) -> CliError:
    return CliError(
        f"{url!r} is not the URL of an API, such as https://….example/api", ExitCode.USAGE
    )


def _denied(message: str) -> CliError:
    return CliError(message, ExitCode.DENIED)
