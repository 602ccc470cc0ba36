"""The SSRF guard: which hosts, ports and addresses Monitum may connect to.

It applies to checks, redirects, webhooks and resolvers. `validate_url` and `validate_host` check a
name when it is configured, without a DNS lookup; `admit` checks the resolved addresses. The
connection then goes to an admitted address, never to the name, so that a different response to a
second lookup (DNS rebinding) changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chalicelib.probes.errors import Blocked
from chalicelib.probes.net.ip_ranges import Address, Scope, classify
from chalicelib.probes.net.urls import BadUrl, Host, Url, parse_host, parse_url

# Ports of mail servers and databases, which could execute a request as a command.
MAIL_AND_DATABASE_PORTS: Final = frozenset(
    {25, 110, 143, 465, 587, 2525}  # mail
    | {1433, 1521, 3306, 5432, 6379, 9042, 11211, 27017}  # databases and caches
)
LAMBDA_RUNTIME_PORT: Final = 9001


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard and the settings of the installation.

    `allow_private` allows loopback, private and carrier-grade NAT networks. `forbidden_hosts` are
    Monitum's own endpoints, as "host" or "host:port". `forbidden_ports` are refused on every
    address; None means the mail and database ports, or none if private targets are allowed, since
    owners then monitor their own machines.
    """

    allow_private: bool = False
    forbidden_hosts: frozenset[str] = frozenset()
    forbidden_ports: frozenset[int] | None = None

    def validate_url(self, text: str) -> Url:
        """Return the parsed URL; raise BadUrl with a text for its author. Does no DNS lookup."""
        url = parse_url(text)
        self._validate(url.host, url.port)
        return url

    def validate_host(self, text: str, port: int) -> Host:
        """Return the normalized host; raise BadUrl. Does no DNS lookup."""
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
        """Raise Blocked if the name or the port is refused for every address."""
        if port in self._ports():
            raise Blocked(f"port {port} is not allowed")
        if self._is_own(host.name, port):
            raise Blocked("Monitum's own address is not allowed")
        if not self.allow_private and (host.name + ".").endswith(("localhost.", ".internal.")):
            raise Blocked(f"{host.name} is not public")

    def admit(self, addresses: Iterable[Address], port: int) -> None:
        """Raise Blocked unless Monitum may connect to every address at `port`."""
        for address in addresses:
            scope, network = classify(address)
            if scope is Scope.FORBIDDEN or (scope is Scope.PRIVATE and not self.allow_private):
                raise Blocked(f"{address} is not public: {network}")
            if port == LAMBDA_RUNTIME_PORT and address.is_loopback:
                raise Blocked(f"port {port} of this machine is not allowed")
            if self._is_own(str(address), port):
                raise Blocked("Monitum's own address is not allowed")

    def _ports(self) -> frozenset[int]:
        if self.forbidden_ports is not None:
            return self.forbidden_ports
        return frozenset() if self.allow_private else MAIL_AND_DATABASE_PORTS

    def _is_own(self, name: str, port: int) -> bool:
        if not self.forbidden_hosts:
            return False
        return name in self.forbidden_hosts or f"{name}:{port}" in self.forbidden_hosts
