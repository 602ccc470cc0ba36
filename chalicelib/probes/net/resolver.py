"""Resolve names to addresses under a deadline, with the system's configuration.

`getaddrinfo` cannot be interrupted, needs a separate thread, and hardly distinguishes NXDOMAIN,
SERVFAIL and timeouts. This resolver uses the same sources (/etc/hosts, /etc/resolv.conf with search
and ndots) and respects the deadline. It also attributes timeouts: if the resolver responds to a
probe but not for this name, the name servers of the name are at fault; if it does not respond at
all, the failure is Monitum's.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import seconds_left
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net import dns_wire
from chalicelib.probes.net.ip_ranges import Address
from chalicelib.probes.net.resolv_conf import Server, SystemNames

_TYPES: Final = (dns_wire.TYPE_A, dns_wire.TYPE_AAAA)
_LAST_WAIT_S: Final = 0.3  # for the other family, once one has addresses
_FIRST_WAIT_S: Final = 1.0  # until a query is repeated; doubles each round
_REFUSED_WAIT_S: Final = 0.1  # if no server is reachable: it may be restarting


class Resolver(Protocol):
    """Resolves names; tests pass their own."""

    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        """Return at least one address of an ASCII name; raise CheckFailure by the deadline."""
        ...

    def servers(self) -> Sequence[Server]:
        """Return the addresses and ports of the servers it queries."""
        ...


class SystemResolver:
    """Queries the servers that the system is configured with. Safe to share between threads."""

    def __init__(self, names: SystemNames | None = None, *, search: bool = True) -> None:
        self._names = names or SystemNames()
        self._search = search

    def servers(self) -> Sequence[Server]:
        """See Resolver."""
        return self._names.servers()

    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        """See Resolver."""
        if known := self._names.in_hosts(name):
            return known
        failure: CheckFailure | None = None
        for candidate in self._names.candidates(name) if self._search else (name,):
            lookup = _Lookup(candidate, self._names.servers())
            try:
                return lookup.run(deadline)
            except CheckFailure as error:
                failure = failure or error
                if not lookup.name_is_missing:
                    raise
        raise failure or CheckFailure(Reason.DNS, f"{name} is not a valid name")


@dataclass(slots=True)
class _Channel:
    """A socket to one server and the record types it has not responded to yet.

    The message ID of a query is `identifier` plus the position of its type (0 for the probe).
    """

    sock: socket.socket
    server: Server
    identifier: int
    pending: set[int]


@dataclass(slots=True)
class _Lookup:
    """A lookup of one name: queries the servers in turn until both families are known."""

    name: str
    servers: Sequence[Server]
    answers: dict[int, dns_wire.Answer] = field(default_factory=dict)
    rcodes: set[int] = field(default_factory=set)
    channels: dict[int, _Channel] = field(default_factory=dict)
    poller: select.poll = field(default_factory=select.poll)
    responded: bool = False

    def run(self, deadline: float) -> Sequence[Address]:
        """Return the addresses; raise CheckFailure by the deadline."""
        try:
            self._query_in_rounds(deadline)
        finally:
            for channel in self.channels.values():
                channel.sock.close()
        return self._found() or self._fail()

    @property
    def name_is_missing(self) -> bool:
        """Whether the name is known to have no address."""
        if any(answer.rcode == dns_wire.NXDOMAIN for answer in self.answers.values()):
            return True
        return len(self.answers) == len(_TYPES) and not self._found()

    def _query_in_rounds(self, deadline: float) -> None:
        wait = _FIRST_WAIT_S
        while time.monotonic() < deadline and not self.rcodes:
            reachable = [self._query_server(server, wait, deadline) for server in self.servers]
            if self._is_complete() or self._found():
                return
            if not any(reachable):
                time.sleep(max(0.0, min(_REFUSED_WAIT_S, deadline - time.monotonic())))
            wait *= 2

    def _query_server(self, server: Server, wait: float, deadline: float) -> bool:
        """Query a server and listen to all; return False if the server is not reachable."""
        if self._is_complete() or self._found():
            return True
        number = self._send(server, probe=wait > _FIRST_WAIT_S)
        if number is None:
            return False
        self._listen(number, min(deadline, time.monotonic() + wait), deadline)
        return number in self.channels or bool(self.answers or self.rcodes)

    def _send(self, server: Server, *, probe: bool) -> int | None:
        """Send the open queries from a new socket; return its number, None if that fails.

        The probe, a query for the root, shows whether the server responds at all.
        """
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        identifier = int.from_bytes(os.urandom(2), "big") & 0xFFFC
        pending = {rdtype for rdtype in _TYPES if rdtype not in self.answers}
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM)
        except OSError:
            return None
        try:
            sock.setblocking(False)  # noqa: FBT003 - the name says it
            sock.connect(server)
            for index, rdtype in enumerate(_TYPES, start=1):
                if rdtype in pending:
                    sock.send(dns_wire.question(identifier + index, self.name, rdtype))
            if probe:
                sock.send(dns_wire.question(identifier, "", dns_wire.TYPE_NS))
        except OSError:
            sock.close()
            return None
        self.channels[sock.fileno()] = _Channel(sock, server, identifier, pending)
        self.poller.register(sock.fileno(), select.POLLIN)
        return sock.fileno()

    def _listen(self, newest: int, until: float, deadline: float) -> None:
        """Receive until the newest server has fully responded, all is known, or `until` passes."""
        while newest in self.channels and (left := until - time.monotonic()) > 0:
            for number, _ in self.poller.poll(left * 1000):
                if not self._receive(self.channels[number], deadline):
                    self._drop(number)
            if self._is_complete():
                return
            if self._found():
                until = min(until, time.monotonic() + _LAST_WAIT_S)

    def _drop(self, number: int) -> None:
        self.poller.unregister(number)
        self.channels.pop(number).sock.close()

    def _receive(self, channel: _Channel, deadline: float) -> bool:
        """Read one datagram; return False if nothing more is expected from this server."""
        try:
            message = channel.sock.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        index = (int.from_bytes(message[:2], "big") - channel.identifier) & 0xFFFF
        if index == 0:
            self.responded = True
        elif index <= len(_TYPES):
            self._record(message, channel, _TYPES[index - 1], deadline)
        return bool(channel.pending)

    def _record(self, message: bytes, channel: _Channel, rdtype: int, deadline: float) -> None:
        """Record an answer; ignore invalid messages, such as forged ones."""
        identifier = int.from_bytes(message[:2], "big")
        try:
            answer = dns_wire.parse_answer(message, identifier, self.name, rdtype)
            if answer.truncated:
                query = dns_wire.question(identifier, self.name, rdtype)
                message = exchange_tcp(channel.server, query, deadline)
                answer = dns_wire.parse_answer(message, identifier, self.name, rdtype)
        except (dns_wire.BadMessage, OSError):
            return
        self.responded = True
        channel.pending.discard(rdtype)
        if answer.rcode in {dns_wire.NOERROR, dns_wire.NXDOMAIN}:
            self.answers[rdtype] = answer
        else:
            self.rcodes.add(answer.rcode)

    def _is_complete(self) -> bool:
        return self.name_is_missing or len(self.answers) == len(_TYPES)

    def _found(self) -> list[Address]:
        return [
            address
            for rdtype in _TYPES
            if rdtype in self.answers
            for address in self.answers[rdtype].addresses
        ]

    def _fail(self) -> NoReturn:
        """Raise the failure that the responses, or their absence, indicate."""
        if any(answer.rcode == dns_wire.NXDOMAIN for answer in self.answers.values()):
            raise CheckFailure(Reason.DNS, f"{self.name} does not exist (NXDOMAIN)")
        if self.name_is_missing:
            raise CheckFailure(Reason.DNS, f"{self.name} has no address")
        if dns_wire.SERVFAIL in self.rcodes:
            raise CheckFailure(Reason.DNS, f"the name servers of {self.name} fail (SERVFAIL)")
        if self.rcodes:
            raise CheckFailure(
                Reason.INTERNAL, "Monitum's resolver refuses to answer", internal=True
            )
        if self.responded:
            raise CheckFailure(Reason.DNS, f"timed out looking up {self.name}")
        raise CheckFailure(Reason.INTERNAL, "Monitum's resolver does not answer", internal=True)


def exchange_tcp(server: Server, query: bytes, deadline: float) -> bytes:
    """Send a query by TCP and return the response (RFC 1035, 4.2.2); raise OSError."""
    with socket.create_connection(server, seconds_left(deadline)) as sock:
        sock.sendall(struct.pack(">H", len(query)) + query)
        length = int.from_bytes(_receive_exactly(sock, 2, deadline), "big")
        return _receive_exactly(sock, length, deadline)


def _receive_exactly(sock: socket.socket, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        sock.settimeout(seconds_left(deadline))
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("the resolver closed the connection")
        data += piece
    return data
