"""A DNS server on loopback that answers, errs or keeps silent as a test tells it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Reply = Callable[[dns.message.Message], bytes | list[bytes] | None]


class NamesServer:
    """Listens on one port by UDP and TCP; `reply` makes the bytes to send, None for silence."""

    def __init__(self, reply: Reply, reply_by_tcp: Reply | None = None) -> None:
        self._reply = reply
        self._reply_by_tcp = reply_by_tcp or reply
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._tcp.getsockname()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self.address)
        self.asked: list[str] = []
        for work in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    def _serve_udp(self) -> None:
        while True:
            try:
                data, peer = self._udp.recvfrom(4096)
                if not data:
                    return
                for message in self._answers(data, self._reply):
                    self._udp.sendto(message, peer)
            except OSError:
                return

    def _serve_tcp(self) -> None:
        while True:
            try:
                sock, _ = self._tcp.accept()
            except OSError:
                return
            with sock:
                data = sock.recv(4096)
                for message in self._answers(data[2:], self._reply_by_tcp):
                    sock.sendall(len(message).to_bytes(2, "big") + message)

    def _answers(self, data: bytes, reply: Reply) -> list[bytes]:
        query = dns.message.from_wire(data)
        question = query.question[0]
        self.asked.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}")
        made = reply(query)
        if made is None:
            return []
        return made if isinstance(made, list) else [made]

    def close(self) -> None:
        for sock in (self._udp, self._tcp):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


@contextmanager
def serving_names(reply: Reply, reply_by_tcp: Reply | None = None) -> Iterator[NamesServer]:
    server = NamesServer(reply, reply_by_tcp)
    try:
        yield server
    finally:
        server.close()


def records(*lines: str, flags: int = 0) -> Reply:
    """Answer with those of the records that were asked for, and with all aliases.

    A record is written as "name. TYPE data"; a name without any record does not exist.
    """

    def reply(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        question = query.question[0]
        wanted = dns.rdatatype.to_text(question.rdtype)
        names = {line.split()[0] for line in lines}
        if str(question.name).lower() not in names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        for line in lines:
            name, kind, data = line.split(" ", 2)
            if kind in {wanted, "CNAME"}:
                rrset = response.find_rrset(
                    response.answer,
                    dns.name.from_text(name),
                    dns.rdataclass.IN,
                    dns.rdatatype.from_text(kind),
                    create=True,
                )
                rrset.add(dns.rdata.from_text("IN", kind, data), 60)
        response.flags |= flags
        return response.to_wire(max_size=65535)

    return reply


def fails(rcode: dns.rcode.Rcode) -> Reply:
    """Answer everything with an error."""

    def reply(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return response.to_wire()

    return reply


def late(reply: Reply, by_s: float) -> Reply:
    """Answer as `reply` does, but so many seconds late."""

    def answer(query: dns.message.Message) -> bytes | list[bytes] | None:
        time.sleep(by_s)
        return reply(query)

    return answer


def silent(query: dns.message.Message) -> None:
    """Answer nothing."""


def answers_only_the_root(query: dns.message.Message) -> bytes | None:
    """Be alive, but know nothing of any name."""
    if len(query.question[0].name.labels) > 1:
        return None
    return dns.message.make_response(query).to_wire()
