"""Guarded connections: resolve a name, check every address, connect to an admitted one."""

import errno
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.ip_ranges import Address
from chalicelib.probes.net.resolver import Resolver, SystemResolver
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.tls_context import Protocols, TlsContexts, start_tls
from chalicelib.probes.net.tls_stream import TlsStream
from chalicelib.probes.net.urls import Host

MAX_ADDRESSES: Final = 4
MAX_HTTP2_ONLY: Final = 1000
# Errors raised before any packet is sent: they prove nothing about the target.
_LOCAL_ERRORS: Final = frozenset(
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
    http2_only: set[tuple[str, int]] = field(default_factory=set)
    """Hosts and ports that were found to speak HTTP/2 alone; at most MAX_HTTP2_ONLY."""

    def connect(self, host: Host, port: int, attempt: Attempt) -> socket.socket:
        """Return a connected socket; raise CheckFailure. Records `dns` and `connect`."""
        addresses = self.admitted(host, port, attempt)
        attempt.phase = "connect"
        sock = _connect_any(_interleave(addresses), port, attempt)
        attempt.record("connect")
        return sock

    def admitted(self, host: Host, port: int, attempt: Attempt) -> Sequence[Address]:
        """Return the addresses of a host; raise Blocked if one is not allowed. Records `dns`."""
        self.guard.admit_name(host, port)
        attempt.phase = "dns"
        addresses = self._addresses(host, attempt)
        attempt.record("dns")
        self.guard.admit(addresses, port)
        return addresses

    def connect_tls(
        self,
        host: Host,
        port: int,
        attempt: Attempt,
        *,
        verify: bool,
        protocols: Protocols = (),
    ) -> TlsStream:
        """Return a TLS connection; raise CheckFailure. Records `tls` too."""
        context = self.tls.get(verify=verify, protocols=protocols)
        attempt.stopwatch.discard()  # creating a context is Monitum's time
        sock = self.connect(host, port, attempt)
        try:
            return start_tls(sock, context, host.name, attempt)
        except BaseException:
            sock.close()
            raise

    def _addresses(self, host: Host, attempt: Attempt) -> Sequence[Address]:
        if host.address is not None:
            return (host.address,)
        attempt.remaining("the name lookup")
        return self.resolver.resolve(host.name, attempt.connect_by())


def _interleave(addresses: Sequence[Address]) -> list[Address]:
    """Return at most MAX_ADDRESSES, alternating families: one of them may be unreachable."""
    unique = list(dict.fromkeys(addresses))
    v4 = [address for address in unique if address.version == 4]
    v6 = [address for address in unique if address.version == 6]
    pairs = zip_longest(v4, v6)
    return [address for pair in pairs for address in pair if address][:MAX_ADDRESSES]


def _connect_any(addresses: Sequence[Address], port: int, attempt: Attempt) -> socket.socket:
    """Connect to the first address that accepts; prefer failures that the target caused."""
    failures: list[CheckFailure] = []
    connect_by = attempt.connect_by()
    for index, address in enumerate(addresses):
        share = (connect_by - time.monotonic()) / (len(addresses) - index)
        if share <= 0:
            break
        try:
            return _connect(address, port, share)
        except CheckFailure as failure:
            failures.append(failure)
    external = [failure for failure in failures if not failure.internal]
    raise (external or failures or [OutOfTime("the connection")])[0]


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
    if error.errno in _LOCAL_ERRORS:
        text = f"Monitum could not connect to {where} ({name})"
        return CheckFailure(Reason.INTERNAL, text, internal=True)
    return CheckFailure(Reason.CONNECT, f"the connection to {where} failed ({name})")
