"""The `dns` kind: one question to a resolver, and its records against the expected ones."""

import ipaddress
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import Reason
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import Blocked, CheckFailure, OutOfTime
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.endpoint import resolver_endpoint
from chalicelib.probes.net.resolv_conf import Server
from chalicelib.probes.net.urls import BadUrl, parse_host

if TYPE_CHECKING:
    from dns.message import QueryMessage

RECORD_TYPES: Final = ("A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "CAA")
_ASK_AGAIN_S: Final = 1.0
_MAX_MESSAGE: Final = 65535
_HEADER: Final = struct.Struct(">6H")  # RFC 1035, 4.1.1: the last three count records
_MAX_RECORDS: Final = 250  # of which each may take dnspython 0.4 ms


def check_dns(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Ask for the records of a `dns` target; raise CheckFailure.

    `spec.config`: host, record_type, expected (list of texts, all of which must be there), exact
    (no others may be), resolver (address or name, with or without port).
    """
    import dns.message  # noqa: PLC0415 - 60 ms that only this kind needs

    name, record_type = _question(spec)
    query = dns.message.make_query(name, record_type, use_edns=0, payload=1232)
    attempt.watch.skip()
    own = not spec.config.get("resolver")
    servers = dialer.resolver.servers() if own else _servers(spec, dialer, attempt)
    attempt.enter("dns")
    answer = _ask(query, servers, attempt, own=own)
    attempt.on_connected()
    records = _records(answer, name, record_type, own=own)
    attempt.book("dns")
    return Observation(wrong=_wrong(spec, record_type, records))


def _question(spec: CheckSpec) -> tuple[str, str]:
    record_type = str(spec.config.get("record_type") or "A").upper()
    if record_type not in RECORD_TYPES:
        raise Blocked(f"{record_type[:10]} is no record type that can be watched")
    try:
        host = parse_host(str(spec.config["host"]))
    except BadUrl as error:
        raise Blocked(str(error)) from None
    return f"{host.name}.", record_type


def _servers(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Sequence[Server]:
    """Return the addresses of the target's own resolver, all of them admitted by the guard."""
    try:
        host, port = resolver_endpoint(str(spec.config["resolver"]))
    except BadUrl as error:
        raise Blocked(f"the resolver: {error}") from None
    return [(str(address), port) for address in dialer.admitted(host, port, attempt)]


def _ask(
    query: "QueryMessage", servers: Sequence[Server], attempt: Attempt, *, own: bool
) -> "QueryMessage":
    """Ask the servers in turn until one answers."""
    until = attempt.connect_by()
    wait, absent = _ASK_AGAIN_S, 0
    while (left := until - time.monotonic()) > 0 and absent < len(servers):
        absent = 0
        for server in servers:
            try:
                return _exchange(query, server, time.monotonic() + min(wait, left), until)
            except ConnectionRefusedError:
                absent += 1
            except OSError:
                continue
        wait *= 2
    if own:
        raise CheckFailure(Reason.INTERNAL, "Monitum's resolver does not answer", ours=True)
    if absent:
        raise CheckFailure(Reason.REFUSED, "the resolver is not there: its port is closed")
    raise OutOfTime("the resolver's answer")


def _exchange(
    query: "QueryMessage", server: Server, until: float, deadline: float
) -> "QueryMessage":
    """Ask one server by UDP, then by TCP where the answer is too long; raise OSError."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(server)
        sock.send(query.to_wire())
        while True:
            sock.settimeout(_left(until))
            answer = _read(query, sock.recv(_MAX_MESSAGE))
            if answer is not None:
                break
    return _exchange_by_tcp(query, server, deadline) if _is_cut(answer) else answer


def _exchange_by_tcp(query: "QueryMessage", server: Server, deadline: float) -> "QueryMessage":
    wire = query.to_wire()
    with socket.create_connection(server, _left(deadline)) as sock:
        sock.sendall(len(wire).to_bytes(2, "big") + wire)
        data = b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            sock.settimeout(_left(deadline))
            piece = sock.recv(_MAX_MESSAGE)
            if not piece:
                raise ConnectionError
            data += piece
    answer = _read(query, data[2:])
    if answer is None:
        raise ConnectionError
    return answer


def _read(query: "QueryMessage", data: bytes) -> "QueryMessage | None":
    """Return the answer to the query, None for anything else that arrives; raise CheckFailure."""
    import dns.exception  # noqa: PLC0415 - see above
    import dns.message  # noqa: PLC0415 - see above

    if len(data) < _HEADER.size:
        return None
    identifier, _, _, *counts = _HEADER.unpack_from(data)
    if identifier == query.id and sum(counts) > _MAX_RECORDS:
        text = f"the resolver's answer has more than {_MAX_RECORDS} records"
        raise CheckFailure(Reason.DNS, text, final=True)
    try:
        answer = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if isinstance(answer, dns.message.QueryMessage) and query.is_response(answer):
        return answer
    return None


def _is_cut(answer: "QueryMessage") -> bool:
    import dns.flags  # noqa: PLC0415 - see above

    return bool(answer.flags & dns.flags.TC)


def _records(answer: "QueryMessage", name: str, record_type: str, *, own: bool) -> tuple[str, ...]:
    """Return the records in their plain notation; raise CheckFailure where there are none."""
    import dns.exception  # noqa: PLC0415 - see above
    import dns.rcode  # noqa: PLC0415 - see above

    rcode = dns.rcode.to_text(answer.rcode())
    shown = name.removesuffix(".")
    if rcode == "NXDOMAIN":
        raise CheckFailure(Reason.DNS, f"{shown} does not exist (NXDOMAIN)")
    if rcode == "SERVFAIL":
        raise CheckFailure(Reason.DNS, f"the name servers of {shown} fail (SERVFAIL)")
    if rcode != "NOERROR":
        raise CheckFailure(
            Reason.INTERNAL if own else Reason.DNS, f"the resolver answered {rcode}", ours=own
        )
    try:
        rrset = answer.resolve_chaining().answer
    except dns.exception.DNSException:
        raise CheckFailure(Reason.DNS, "the resolver's answer is malformed") from None
    if rrset is None:
        raise CheckFailure(Reason.DNS, f"{shown} has no {record_type} record")
    return tuple(sorted({plain(record_type, _text(record)) for record in rrset}))


def _text(record: Any) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return str(record.to_text())


def plain(record_type: str, text: str) -> str:
    """Return a record's value in the one notation in which values are compared."""
    if record_type == "TXT":
        return text
    if record_type in {"A", "AAAA"}:
        try:
            return str(ipaddress.ip_address(text.strip()))
        except ValueError:
            return text
    words = text.split() if record_type == "CAA" else text.lower().split()
    return " ".join(word.removesuffix(".") for word in words)


def _wrong(spec: CheckSpec, record_type: str, records: Iterable[str]) -> str | None:
    """Say in words how the records differ from the expected ones; None where they don't."""
    wanted = {plain(record_type, str(value)) for value in spec.config.get("expected") or ()}
    found = set(records)
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    if not missing and not (spec.config.get("exact") and wanted and extra):
        return None
    return f"expected {record_type} {', '.join(sorted(wanted))}, got {', '.join(sorted(found))}"


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
