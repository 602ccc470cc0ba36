"""The one way out: resolve, let the guard judge every address, connect to one that it admitted."""

import errno
import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.ip_ranges import Address
from chalicelib.probes.net.resolver import Resolver, SystemResolver
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.tls_context import TlsContexts, start_tls
from chalicelib.probes.net.tls_stream import TlsStream
from chalicelib.probes.net.urls import Host

MAX_ADDRESSES: Final = 4
# What this machine says before anything has left it: no evidence about the target.
_OURS: Final = frozenset(
    {
        errno.ENETUNREACH,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
        errno.EACCES,
        errno.EPERM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
    }
)


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens guarded connections. Safe to share between threads."""

    guard: Guard
    resolver: Resolver = field(default_factory=SystemResolver)
    tls: TlsContexts = field(default_factory=TlsContexts)

    def connect(self, host: Host, port: int, attempt: Attempt) -> socket.socket:
        """Return a connected socket; raise CheckFailure. Books `dns` and `connect`."""
        addresses = self.admitted(host, port, attempt)
        attempt.enter("connect")
        sock = _connect_any(_in_order(addresses), port, attempt)
        attempt.book("connect")
        return sock

    def admitted(self, host: Host, port: int, attempt: Attempt) -> Sequence[Address]:
        """Return the addresses of a host, every one of them admitted by the guard. Books `dns`."""
        self.guard.admit_name(host, port)
        attempt.enter("dns")
        addresses = self._addresses(host, attempt)
        attempt.book("dns")
        self.guard.admit(addresses, port)
        return addresses

    def connect_tls(
        self, host: Host, port: int, attempt: Attempt, *, verify: bool, http: bool
    ) -> TlsStream:
        """Return a connection with TLS on it; raise CheckFailure. Books `tls` too."""
        context = self.tls.get(verify=verify, http=http)
        attempt.watch.skip()
        sock = self.connect(host, port, attempt)
        try:
            return start_tls(sock, context, host.name, attempt)
        except BaseException:
            sock.close()
            raise

    def _addresses(self, host: Host, attempt: Attempt) -> Sequence[Address]:
        if host.address is not None:
            return (host.address,)
        attempt.remaining("the name look-up")
        return self.resolver.resolve(host.name, attempt.connect_by())


def _in_order(addresses: Sequence[Address]) -> list[Address]:
    """Return at most MAX_ADDRESSES, the families by turns: one of them may lead nowhere."""
    unique = list(dict.fromkeys(addresses))
    v4 = [a for a in unique if isinstance(a, ipaddress.IPv4Address)]
    v6 = [a for a in unique if isinstance(a, ipaddress.IPv6Address)]
    order: list[Address] = []
    while v4 or v6:
        order += [*v4[:1], *v6[:1]]
        v4, v6 = v4[1:], v6[1:]
    return order[:MAX_ADDRESSES]


def _connect_any(addresses: Sequence[Address], port: int, attempt: Attempt) -> socket.socket:
    """Connect to the first address that accepts; raise the failure that says most of the target."""
    failures: list[CheckFailure] = []
    connect_by = attempt.connect_by()
    for place, address in enumerate(addresses):
        share = (connect_by - time.monotonic()) / (len(addresses) - place)
        if share <= 0:
            break
        try:
            return _connect(address, port, share)
        except CheckFailure as failure:
            failures.append(failure)
    evidence = [failure for failure in failures if not failure.ours]
    raise (evidence or failures or [OutOfTime("the connection")])[0]


def _connect(address: Address, port: int, timeout_s: float) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _failure(error, address, port) from None
    try:
        sock.settimeout(timeout_s)
        sock.connect((str(address), port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        sock.close()
        raise _failure(error, address, port) from None
    return sock


def _failure(error: OSError, address: Address, port: int) -> CheckFailure:
    where = f"{Host(str(address)).in_url}:{port}"
    if isinstance(error, TimeoutError):
        return OutOfTime(f"the connection to {where}")
    if isinstance(error, ConnectionRefusedError):
        return CheckFailure(Reason.REFUSED, f"the connection to {where} was refused")
    if isinstance(error, ConnectionResetError):
        return CheckFailure(Reason.CONNECT, f"the connection to {where} was reset")
    name = errno.errorcode.get(error.errno or 0, "error")
    if error.errno in _OURS:
        text = f"Monitum could not connect to {where} ({name})"
        return CheckFailure(Reason.INTERNAL, text, ours=True)
    return CheckFailure(Reason.CONNECT, f"the connection to {where} failed ({name})")
