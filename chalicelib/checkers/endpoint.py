"""The host and port of a target that is not a URL."""

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.checkers.errors import Blocked
from chalicelib.checkers.urls import BadUrl, Host, parse_host

TLS_PORT: Final = 443


def endpoint(config: Mapping[str, Any]) -> tuple[Host, int]:
    """Return the host and port of a configuration; raise Blocked where they are none."""
    try:
        host = parse_host(str(config["host"]))
    except BadUrl as error:
        raise Blocked(str(error)) from None
    port = int(config.get("port") or TLS_PORT)
    if not 0 < port < 65536:
        raise Blocked("the port must be a number from 1 to 65535")
    return host, port
