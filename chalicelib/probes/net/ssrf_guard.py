"""Where Monitum may connect to: the one rule for checks, redirects, webhooks and resolvers.

A name is judged when it is written (no look-up: `validate_url`, `validate_host`) and its addresses
when they are known (`admit`); the connection then goes to an admitted address, never to the name,
so that a second answer of a resolver changes nothing.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chalicelib.probes.errors import Blocked
from chalicelib.probes.net.ip_ranges import Address, Scope, classify, is_loopback
from chalicelib.probes.net.urls import BadUrl, Host, Url, parse_host, parse_url

# Ports where a request could be read as a command: mail submission and databases.
MAIL_AND_DATABASE_PORTS: Final = frozenset(
    {25, 110, 143, 465, 587, 2525}  # mail
    | {1433, 1521, 3306, 5432, 6379, 9042, 11211, 27017}  # databases and caches
)
LAMBDA_RUNTIME_PORT: Final = 9001


@dataclass(frozen=True, slots=True)
class Guard:
    """The rule, with what an installation may set.

    `allow_private` opens loopback, private and carrier-grade NAT networks. `forbidden_hosts` are
    Monitum's own endpoints, as "host" or "host:port". `forbidden_ports` are refused on every
    address; None means the mail and database ports, or none at all where private targets are
    allowed, for there an owner watches machines of their own.
    """

    allow_private: bool = False
    forbidden_hosts: frozenset[str] = frozenset()
    forbidden_ports: frozenset[int] | None = None

    def validate_url(self, text: str) -> Url:
        """Return the URL taken apart; raise BadUrl, in words for its author. Asks no resolver."""
        url = parse_url(text)
        self._validate(url.host, url.port)
        return url

    def validate_host(self, text: str, port: int) -> Host:
        """Return the host in its one spelling; raise BadUrl. Asks no resolver."""
        host = parse_host(text)
        self._validate(host, port)
        return host

    def _validate(self, host: Host, port: int) -> None:
        try:
            self.admit_name(host, port)
            if host.address is not None:
                self.admit([host.address], port)
        except Blocked as blocked:
            raise BadUrl(blocked.text) from None

    def admit_name(self, host: Host, port: int) -> None:
        """Raise Blocked when the name or the port is refused whatever the address is."""
        if port in self._ports():
            raise Blocked(f"port {port} cannot be watched")
        if self._is_own(host.name, port):
            raise Blocked("Monitum's own address cannot be watched")
        if not self.allow_private and (host.name + ".").endswith(("localhost.", ".internal.")):
            raise Blocked(f"{host.name} is not public")

    def admit(self, addresses: Iterable[Address], port: int) -> None:
        """Raise Blocked unless every address may be connected to at `port`."""
        for address in addresses:
            scope, network = classify(address)
            if scope is Scope.FORBIDDEN or (scope is Scope.PRIVATE and not self.allow_private):
                raise Blocked(f"{address} is not public: {network}")
            if port == LAMBDA_RUNTIME_PORT and is_loopback(address):
                raise Blocked(f"port {port} of this machine cannot be watched")
            if self._is_own(str(address), port):
                raise Blocked("Monitum's own address cannot be watched")

    def _ports(self) -> frozenset[int]:
        if self.forbidden_ports is not None:
            return self.forbidden_ports
        return frozenset() if self.allow_private else MAIL_AND_DATABASE_PORTS

    def _is_own(self, name: str, port: int) -> bool:
        if not self.forbidden_hosts:
            return False
        return name in self.forbidden_hosts or f"{name}:{port}" in self.forbidden_hosts


def is_address(text: str) -> bool:
    """Whether the text is an IP address in its plain notation."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
