"""Where the API is and with which token it is called.

In this order: MONITUM_URL with MONITUM_TOKEN, what `monitum login` stored, and within a repository
of Monitum's the local stack of `make up`.
"""

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitum_cli.errors import Exit, Failure

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Login:
    """The API's address, without a slash at its end, the token, and where both come from."""

    url: str
    token: str = field(repr=False)
    source: str


def find_login(env: Mapping[str, str], directory: Path) -> Login:
    """The login to use in `directory`; raises Failure where there is none."""
    url, token = env.get("MONITUM_URL", ""), env.get("MONITUM_TOKEN", "")
    stored = read_login(env)
    if url and token:
        return Login(check_url(url, env), check_token(token), "the environment")
    if token:
        raise _denied("MONITUM_TOKEN is set without MONITUM_URL: set both")
    if url:
        # A token is for the address that it was given for, and goes to no other.
        if stored is None or stored.url != check_url(url, env):
            raise _denied("MONITUM_URL is set without MONITUM_TOKEN: set both, or log in there")
        return stored
    found = stored or _local_stack(env, directory)
    if found is None:
        raise _denied("not logged in: monitum login, or set MONITUM_URL and MONITUM_TOKEN")
    return found


def check_url(url: str, env: Mapping[str, str]) -> str:
    """The address as it is used; raises Failure where a token should not be sent there."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _no_address(url) from error
    if host is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise _no_address(url)
    if parts.username is not None:
        raise Failure("the address must not have a user name or password in it", Exit.USAGE)
    if parts.scheme == "http" and host not in _LOOPBACK and not env.get("MONITUM_ALLOW_HTTP"):
        raise Failure(
            f"http://{host} would show the token to the network: use https://,"
            " or set MONITUM_ALLOW_HTTP=1",
            Exit.USAGE,
        )
    return url.strip().rstrip("/")


def check_token(token: str) -> str:
    """The token as it is sent; raises Failure, which does not show it."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Failure("that is no token: it is one word such as mon_…", Exit.USAGE)
    return token


def config_file(env: Mapping[str, str]) -> Path:
    """Where the login is stored; MONITUM_CONFIG names another file."""
    if named := env.get("MONITUM_CONFIG"):
        return Path(named)
    base = env.get("XDG_CONFIG_HOME") or Path(env.get("HOME") or Path.home()) / ".config"
    return Path(base) / "monitum" / "login.json"


def read_login(env: Mapping[str, str]) -> Login | None:
    """The stored login, None without one; raises Failure where others could read it."""
    path = config_file(env)
    content = _read(path)
    if content is None:
        return None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise _denied(f"{path} holds a token and others can read it: chmod 600 {path}")
    url, token = content.get("url"), content.get("token")
    if not isinstance(url, str) or not isinstance(token, str):
        raise _denied(f"{path} is no login: monitum login writes a new one")
    return Login(check_url(url, env), check_token(token), str(path))


def write_login(env: Mapping[str, str], login: Login) -> Path:
    """Store the login for its owner's eyes only, whole or not at all."""
    path = config_file(env)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(unfinished, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump({"url": login.url, "token": login.token}, file)
        unfinished.replace(path)
    except OSError as error:
        raise Failure(f"the login cannot be stored in {path}: {error.strerror}") from error
    return path


def forget_login(env: Mapping[str, str]) -> bool:
    """Remove the stored login; False where there was none."""
    try:
        config_file(env).unlink()
    except FileNotFoundError:
        return False
    return True


def _local_stack(env: Mapping[str, str], directory: Path) -> Login | None:
    """The login that `make up` wrote, where this directory lies in a repository of Monitum's.

    It counts only when it leads to this very machine: a repository of somebody else's could
    otherwise have whatever is applied in it sent to them.
    """
    for place in (directory, *directory.parents):
        if not (place / ".chalice").is_dir():
            continue
        home = Path(env.get("MONITUM_LOCAL") or place / ".local")
        content = _read(home / "stack.json") or {}
        url, token = str(content.get("api_url", "")), str(content.get("token", ""))
        if token and urlsplit(url).hostname in _LOOPBACK:
            return Login(check_url(url, env), check_token(token), "the local stack")
    return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _denied(f"{path} cannot be read as JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def _no_address(url: str) -> Failure:
    return Failure(f"{url!r} is no address of an API, such as https://….example/api", Exit.USAGE)


def _denied(text: str) -> Failure:
    return Failure(text, Exit.DENIED)
