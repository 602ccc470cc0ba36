"""The host and port of a target that is not a URL."""

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.probes.errors import Blocked
from chalicelib.probes.net.urls import BadUrl, Host, parse_host

TLS_PORT: Final = 443
DNS_PORT: Final = 53


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


def resolver_endpoint(text: str) -> tuple[Host, int]:
    """Return the host and port of a resolver, such as `9.9.9.9` or `[::1]:5353`; raise BadUrl."""
    host, port = text, str(DNS_PORT)
    if text.count(":") == 1 or "]:" in text:
        host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise BadUrl("the resolver's port must be a number from 1 to 65535")
    return parse_host(host), int(port)
