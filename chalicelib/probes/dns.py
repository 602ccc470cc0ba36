"""The `dns` kind: query a resolver and compare the records with the expected ones."""

import ipaddress
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import Reason
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.deadline import Attempt, seconds_left
from chalicelib.probes.errors import Blocked, CheckFailure, OutOfTime
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.resolv_conf import Server
from chalicelib.probes.net.resolver import exchange_tcp
from chalicelib.probes.net.urls import BadUrl, parse_host, resolver_endpoint

if TYPE_CHECKING:
    from dns.message import QueryMessage

RECORD_TYPES: Final = ("A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "CAA")
_RETRY_AFTER_S: Final = 1.0  # doubles each round
_MAX_MESSAGE: Final = 65535
_HEADER: Final = struct.Struct(">6H")  # RFC 1035, 4.1.1: the last three count records
_MAX_RECORDS: Final = 250  # dnspython may take 0.4 ms for each


def check_dns(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Check the records of a `dns` target; raise CheckFailure.

    `spec.config`: host, record_type, expected (texts, all of which must be found), exact (no
    others may be found), resolver (address or name, with or without port; default: the system's).
    """
    import dns.message  # noqa: PLC0415 - 60 ms that only this kind needs

    name, record_type = _question(spec)
    query = dns.message.make_query(name, record_type, use_edns=0, payload=1232)
    attempt.stopwatch.discard()
    own = not spec.config.get("resolver")
    servers = dialer.resolver.servers() if own else _target_servers(spec, dialer, attempt)
    attempt.phase = "dns"
    response = _query(query, servers, attempt, own=own)
    attempt.on_connected()
    records = _records(response, name, record_type, own=own)
    attempt.record("dns")
    return Observation(mismatch=_mismatch(spec, record_type, records))


def _question(spec: CheckSpec) -> tuple[str, str]:
    record_type = str(spec.config.get("record_type") or "A").upper()
    if record_type not in RECORD_TYPES:
        raise Blocked(f"`record_type` must be one of {', '.join(RECORD_TYPES)}")
    try:
        host = parse_host(str(spec.config["host"]))
    except BadUrl as error:
        raise Blocked(str(error)) from None
    return f"{host.name}.", record_type


def _target_servers(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Sequence[Server]:
    """Return the servers of the resolver that the target names; raise Blocked if not allowed."""
    try:
        host, port = resolver_endpoint(str(spec.config["resolver"]))
    except BadUrl as error:
        raise Blocked(f"the resolver: {error}") from None
    return [(str(address), port) for address in dialer.admitted(host, port, attempt)]


def _query(
    query: "QueryMessage", servers: Sequence[Server], attempt: Attempt, *, own: bool
) -> "QueryMessage":
    """Query the servers in turn until one responds."""
    until = attempt.connect_by()
    wait, refused = _RETRY_AFTER_S, 0
    while (left := until - time.monotonic()) > 0 and refused < len(servers):
        refused = 0
        for server in servers:
            try:
                return _exchange(query, server, time.monotonic() + min(wait, left), until)
            except ConnectionRefusedError:
                refused += 1
            except OSError:
                continue
        wait *= 2
    if own:
        raise CheckFailure(Reason.INTERNAL, "Monitum's resolver does not answer", internal=True)
    if refused:
        raise CheckFailure(Reason.REFUSED, "the resolver refused the query: its port is closed")
    raise OutOfTime("the resolver's response")


def _exchange(
    query: "QueryMessage", server: Server, until: float, deadline: float
) -> "QueryMessage":
    """Query one server by UDP, then by TCP if the response is truncated; raise OSError."""
    import dns.flags  # noqa: PLC0415 - see above

    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(server)
        sock.send(query.to_wire())
        while True:
            sock.settimeout(seconds_left(until))
            response = _parse(query, sock.recv(_MAX_MESSAGE))
            if response is not None:
                break
    if response.flags & dns.flags.TC:
        response = _parse(query, exchange_tcp(server, query.to_wire(), deadline))
        if response is None:
            raise ConnectionError
    return response


def _parse(query: "QueryMessage", data: bytes) -> "QueryMessage | None":
    """Return the response to the query, None for any other message; raise CheckFailure."""
    import dns.exception  # noqa: PLC0415 - see above
    import dns.message  # noqa: PLC0415 - see above

    if len(data) < _HEADER.size:
        return None
    identifier, _, _, *counts = _HEADER.unpack_from(data)
    if identifier == query.id and sum(counts) > _MAX_RECORDS:
        text = f"the resolver's response has more than {_MAX_RECORDS} records"
        raise CheckFailure(Reason.DNS, text, final=True)
    try:
        response = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if isinstance(response, dns.message.QueryMessage) and query.is_response(response):
        return response
    return None


def _records(
    response: "QueryMessage", name: str, record_type: str, *, own: bool
) -> tuple[str, ...]:
    """Return the normalized records; raise CheckFailure if there are none."""
    import dns.exception  # noqa: PLC0415 - see above
    import dns.rcode  # noqa: PLC0415 - see above

    rcode = dns.rcode.to_text(response.rcode())
    host = name.removesuffix(".")
    if rcode == "NXDOMAIN":
        raise CheckFailure(Reason.DNS, f"{host} does not exist (NXDOMAIN)")
    if rcode == "SERVFAIL":
        raise CheckFailure(Reason.DNS, f"the name servers of {host} fail (SERVFAIL)")
    if rcode != "NOERROR":
        raise CheckFailure(
            Reason.INTERNAL if own else Reason.DNS, f"the resolver answered {rcode}", internal=own
        )
    try:
        rrset = response.resolve_chaining().answer
    except dns.exception.DNSException:
        raise CheckFailure(Reason.DNS, "the resolver's response is malformed") from None
    if rrset is None:
        raise CheckFailure(Reason.DNS, f"{host} has no {record_type} record")
    return tuple(sorted({normalize(record_type, _text(record)) for record in rrset}))


def _text(record: Any) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return str(record.to_text())


def normalize(record_type: str, text: str) -> str:
    """Return a record's value in the notation in which values are compared."""
    if record_type == "TXT":
        return text
    if record_type in {"A", "AAAA"}:
        try:
            return str(ipaddress.ip_address(text.strip()))
        except ValueError:
            return text
    words = text.split() if record_type == "CAA" else text.lower().split()
    return " ".join(word.removesuffix(".") for word in words)


def _mismatch(spec: CheckSpec, record_type: str, records: Iterable[str]) -> str | None:
    """Return how the records differ from the expected ones, None if they match."""
    expected = {normalize(record_type, str(value)) for value in spec.config.get("expected") or ()}
    found = set(records)
    missing, extra = expected - found, found - expected
    if not missing and not (spec.config.get("exact") and expected and extra):
        return None
    return f"expected {record_type} {', '.join(sorted(expected))}, got {', '.join(sorted(found))}"
