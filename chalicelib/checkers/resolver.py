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
from typing import Final, Protocol

from chalicelib.checkers import dnswire
from chalicelib.checkers.errors import CheckFailure
from chalicelib.checkers.networks import Address
from chalicelib.checkers.resolv_conf import Server, SystemNames
from chalicelib.domain.results import Reason

_TYPES: Final = (dnswire.TYPE_A, dnswire.TYPE_AAAA)
_LAST_WAIT_S: Final = 0.3  # for the second family, once the first has addresses
_FIRST_WAIT_S: Final = 1.0  # until a question is asked again; doubles each round
_PROBE: Final = 0


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
class _Lookup:
    """One name asked of all servers in turn until one has told both families of addresses."""

    name: str
    servers: Sequence[Server]
    answers: dict[int, dnswire.Answer] = field(default_factory=dict)
    rcodes: set[int] = field(default_factory=set)
    sockets: dict[int, tuple[socket.socket, Server, int]] = field(default_factory=dict)
    heard: bool = False

    def run(self, deadline: float) -> Sequence[Address]:
        try:
            self._ask_everyone(deadline)
        finally:
            for sock, _, _ in self.sockets.values():
                sock.close()
        return self._addresses()

    @property
    def name_is_missing(self) -> bool:
        return any(answer.rcode == dnswire.NXDOMAIN for answer in self.answers.values()) or (
            len(self.answers) == len(_TYPES) and not self._found()
        )

    def _ask_everyone(self, deadline: float) -> None:
        wait, asked_once = _FIRST_WAIT_S, False
        while time.monotonic() < deadline:
            reached = False
            for server in self.servers:
                if not self._ask(server, probe=asked_once):
                    continue
                reached = True
                if self._listen(min(deadline, time.monotonic() + wait), deadline):
                    return
            if self.rcodes or not reached:
                return
            wait, asked_once = wait * 2, True

    def _ask(self, server: Server, *, probe: bool) -> bool:
        """Send the open questions to a server; a probe shows whether it answers anything."""
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError:
            return False
        identifier = int.from_bytes(os.urandom(2), "big") & 0xFFFC
        self.sockets[sock.fileno()] = (sock, server, identifier)
        try:
            sock.connect(server)
            for place, rdtype in enumerate(_TYPES, start=1):
                if rdtype not in self.answers:
                    sock.send(dnswire.question(identifier + place, self.name, rdtype))
            if probe:
                sock.send(dnswire.question(identifier + _PROBE, "", dnswire.TYPE_NS))
        except OSError:
            self._forget(sock)
            return False
        return True

    def _forget(self, sock: socket.socket) -> None:
        del self.sockets[sock.fileno()]
        sock.close()

    def _listen(self, until: float, deadline: float) -> bool:
        """Take what comes until both families are answered; True when they are."""
        poller = select.poll()
        for number in self.sockets:
            poller.register(number, select.POLLIN)
        while (left := until - time.monotonic()) > 0:
            for number, _ in poller.poll(left * 1000):
                if not self._receive(number, deadline):
                    poller.unregister(number)
                    self._forget(self.sockets[number][0])
                    if not self.sockets:
                        return False
            if len(self.answers) == len(_TYPES) or self.name_is_missing:
                return True
            if self.rcodes:
                return False
            if self._found():
                until = min(until, time.monotonic() + _LAST_WAIT_S)
        return bool(self._found())

    def _receive(self, number: int, deadline: float) -> bool:
        """Read one datagram; False when the server is not there."""
        sock, server, identifier = self.sockets[number]
        try:
            message = sock.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        place = (int.from_bytes(message[:2], "big") - identifier) & 0xFFFF
        if place == _PROBE or place > len(_TYPES):
            self.heard = self.heard or place == _PROBE
            return True
        rdtype = _TYPES[place - 1]
        try:
            answer = dnswire.parse_answer(message, identifier + place, self.name, rdtype)
            if answer.truncated:
                answer = _ask_by_tcp(server, identifier + place, self.name, rdtype, deadline)
        except (dnswire.BadMessage, OSError):
            return True
        self.heard = True
        if answer.rcode in {dnswire.NOERROR, dnswire.NXDOMAIN}:
            self.answers[rdtype] = answer
        else:
            self.rcodes.add(answer.rcode)
        return True

    def _found(self) -> list[Address]:
        return [a for rdtype in _TYPES if rdtype in self.answers for a in self._of(rdtype)]

    def _of(self, rdtype: int) -> tuple[Address, ...]:
        return self.answers[rdtype].addresses

    def _addresses(self) -> Sequence[Address]:
        if found := self._found():
            return found
        if any(answer.rcode == dnswire.NXDOMAIN for answer in self.answers.values()):
            raise CheckFailure(Reason.DNS, f"{self.name} does not exist (NXDOMAIN)")
        if len(self.answers) == len(_TYPES):
            raise CheckFailure(Reason.DNS, f"{self.name} has no address")
        if dnswire.SERVFAIL in self.rcodes:
            raise CheckFailure(Reason.DNS, f"the name servers of {self.name} fail (SERVFAIL)")
        if self.rcodes:
            raise CheckFailure(Reason.INTERNAL, "Monitum's resolver refuses to answer", ours=True)
        if self.heard:
            raise CheckFailure(Reason.DNS, f"timed out looking {self.name} up")
        raise CheckFailure(Reason.INTERNAL, "Monitum's resolver does not answer", ours=True)


def _ask_by_tcp(
    server: Server, identifier: int, name: str, rdtype: int, deadline: float
) -> dnswire.Answer:
    """Ask again where a longer answer fits; raise OSError or BadMessage."""
    query = dnswire.question(identifier, name, rdtype)
    with socket.create_connection(server, _left(deadline)) as sock:
        sock.sendall(struct.pack(">H", len(query)) + query)
        length = int.from_bytes(_exactly(sock, 2, deadline), "big")
        message = _exactly(sock, length, deadline)
    return dnswire.parse_answer(message, identifier, name, rdtype)


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
