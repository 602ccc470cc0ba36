"""Names to addresses under a deadline, by the system's own configuration.

`getaddrinfo` cannot be stopped, tells NXDOMAIN from SERVFAIL from silence badly, and needs a thread
of its own; this asks the same servers (/etc/hosts, /etc/resolv.conf with search, ndots and
attempts) and ends when it is told to. It also knows whose fault a silence is: a resolver that
answers something, but not this name, speaks of the name; one that answers nothing is ours.
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
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net import dns_wire
from chalicelib.probes.net.ip_ranges import Address
from chalicelib.probes.net.resolv_conf import Server, SystemNames

_TYPES: Final = (dns_wire.TYPE_A, dns_wire.TYPE_AAAA)
_LAST_WAIT_S: Final = 0.3  # for the second family, once the first has addresses
_FIRST_WAIT_S: Final = 1.0  # until a question is asked again; doubles each round
_REFUSED_WAIT_S: Final = 0.1  # when no server is there at all: it may be starting again


class Resolver(Protocol):
    """Finds addresses; tests pass their own."""

    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        """Return at least one address of an ASCII name; raise CheckFailure by the deadline."""
        ...

    def servers(self) -> Sequence[Server]:
        """Return the addresses and ports of the resolvers that it asks."""
        ...


class SystemResolver:
    """Asks what the machine is configured to ask. Safe to share between threads."""

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
        raise failure or CheckFailure(Reason.DNS, f"{name} is no name")


@dataclass(slots=True)
class _Channel:
    """A socket to one server, and the questions that it has not answered yet."""

    sock: socket.socket
    server: Server
    identifier: int
    pending: set[int]


@dataclass(slots=True)
class _Lookup:
    """One name asked of all servers in turn until one has told both families of addresses."""

    name: str
    servers: Sequence[Server]
    answers: dict[int, dns_wire.Answer] = field(default_factory=dict)
    rcodes: set[int] = field(default_factory=set)
    channels: dict[int, _Channel] = field(default_factory=dict)
    poller: select.poll = field(default_factory=select.poll)
    heard: bool = False

    def run(self, deadline: float) -> Sequence[Address]:
        """Return the addresses; raise CheckFailure by the deadline."""
        try:
            self._ask_in_rounds(deadline)
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

    def _ask_in_rounds(self, deadline: float) -> None:
        wait = _FIRST_WAIT_S
        while time.monotonic() < deadline and not self.rcodes:
            asked = [self._ask_one(server, wait, deadline) for server in self.servers]
            if self._is_complete() or self._found():
                return
            if not any(asked):
                time.sleep(max(0.0, min(_REFUSED_WAIT_S, deadline - time.monotonic())))
            wait *= 2

    def _ask_one(self, server: Server, wait: float, deadline: float) -> bool:
        """Ask a server and listen to all; False when the server is not there."""
        if self._is_complete() or self._found():
            return True
        number = self._ask(server, probe=wait > _FIRST_WAIT_S)
        if number is None:
            return False
        self._listen(number, min(deadline, time.monotonic() + wait), deadline)
        return number in self.channels or bool(self.answers or self.rcodes)

    def _ask(self, server: Server, *, probe: bool) -> int | None:
        """Send the open questions; a probe shows whether the server answers anything at all."""
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
            for place, rdtype in enumerate(_TYPES, start=1):
                if rdtype in pending:
                    sock.send(dns_wire.question(identifier + place, self.name, rdtype))
            if probe:
                sock.send(dns_wire.question(identifier, "", dns_wire.TYPE_NS))
        except OSError:
            sock.close()
            return None
        self.channels[sock.fileno()] = _Channel(sock, server, identifier, pending)
        self.poller.register(sock.fileno(), select.POLLIN)
        return sock.fileno()

    def _listen(self, newest: int, until: float, deadline: float) -> None:
        """Take what comes until the newest server has said all, everything is known, or `until`."""
        while newest in self.channels and (left := until - time.monotonic()) > 0:
            for number, _ in self.poller.poll(left * 1000):
                if not self._take(self.channels[number], deadline):
                    self._drop(number)
            if self._is_complete():
                return
            if self._found():
                until = min(until, time.monotonic() + _LAST_WAIT_S)

    def _drop(self, number: int) -> None:
        self.poller.unregister(number)
        self.channels.pop(number).sock.close()

    def _take(self, channel: _Channel, deadline: float) -> bool:
        """Read one datagram; False when nothing more will come from this server."""
        try:
            message = channel.sock.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        place = (int.from_bytes(message[:2], "big") - channel.identifier) & 0xFFFF
        if place == 0:
            self.heard = True
        elif place <= len(_TYPES):
            self._read(message, channel, _TYPES[place - 1], deadline)
        return bool(channel.pending)

    def _read(self, message: bytes, channel: _Channel, rdtype: int, deadline: float) -> None:
        """Book an answer; what is none, such as a forged one, is passed over."""
        identifier = int.from_bytes(message[:2], "big")
        try:
            answer = dns_wire.parse_answer(message, identifier, self.name, rdtype)
            if answer.truncated:
                answer = _ask_by_tcp(channel.server, identifier, self.name, rdtype, deadline)
        except (dns_wire.BadMessage, OSError):
            return
        self.heard = True
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
        """Raise what the silence or the answers mean."""
        if any(answer.rcode == dns_wire.NXDOMAIN for answer in self.answers.values()):
            raise CheckFailure(Reason.DNS, f"{self.name} does not exist (NXDOMAIN)")
        if self.name_is_missing:
            raise CheckFailure(Reason.DNS, f"{self.name} has no address")
        if dns_wire.SERVFAIL in self.rcodes:
            raise CheckFailure(Reason.DNS, f"the name servers of {self.name} fail (SERVFAIL)")
        if self.rcodes:
            raise CheckFailure(Reason.INTERNAL, "Monitum's resolver refuses to answer", ours=True)
        if self.heard:
            raise CheckFailure(Reason.DNS, f"timed out looking {self.name} up")
        raise CheckFailure(Reason.INTERNAL, "Monitum's resolver does not answer", ours=True)


def _ask_by_tcp(
    server: Server, identifier: int, name: str, rdtype: int, deadline: float
) -> dns_wire.Answer:
    """Ask again where a longer answer fits; raise OSError or BadMessage."""
    query = dns_wire.question(identifier, name, rdtype)
    with socket.create_connection(server, _left(deadline)) as sock:
        sock.sendall(struct.pack(">H", len(query)) + query)
        length = int.from_bytes(_exactly(sock, 2, deadline), "big")
        message = _exactly(sock, length, deadline)
    return dns_wire.parse_answer(message, identifier, name, rdtype)


def _exactly(sock: socket.socket, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        sock.settimeout(_left(deadline))
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("the resolver closed the connection")
        data += piece
    return data


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
