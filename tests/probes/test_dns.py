"""The `dns` kind: records as a resolver tells them, against those that should be there."""

import time
from typing import Any

import dns.flags
import dns.rcode
import pytest

from chalicelib.probes.checker import Checker
from chalicelib.probes.net.resolv_conf import SystemNames
from chalicelib.probes.net.resolver import SystemResolver
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.conftest import Watch
from tests.probes.dns_server import Reply, fails, late, records, serving_names, silent
from tests.probes.specs import spec

ZONE = records(
    "a.example. A 192.0.2.2",
    "a.example. A 192.0.2.1",
    "a.example. AAAA 2001:db8::1",
    "a.example. MX 10 Mail.example.",
    "a.example. MX 20 mail2.example.",
    'a.example. TXT "v=spf1" " -all"',
    "a.example. NS ns1.example.",
    "a.example. SOA ns1.example. hostmaster.example. 7 3600 600 86400 300",
    'a.example. CAA 0 issue "ca.example"',
    "www.a.example. CNAME a.example.",
    "a.example. A 192.0.2.3",
)
# A type, the expected values, more configuration, and the error if it is broken.
TABLE: list[tuple[str, list[str] | None, dict[str, Any], str | None]] = [
    ("A", None, {}, None),
    ("A", ["192.0.2.1"], {}, None),
    ("A", ["192.0.2.3", "192.0.2.1", "192.0.2.2"], {"exact": True}, None),
    ("A", ["192.0.2.1"], {"exact": True},
     "expected A 192.0.2.1, got 192.0.2.1, 192.0.2.2, 192.0.2.3"),
    ("A", ["192.0.2.9"], {}, "expected A 192.0.2.9, got 192.0.2.1, 192.0.2.2, 192.0.2.3"),
    ("a", ["192.0.2.1"], {}, None),
    ("AAAA", ["2001:DB8:0::1"], {}, None),
    ("MX", ["10 mail.example"], {}, None),
    ("MX", ["20  MAIL2.example.", "10 mail.example."], {"exact": True}, None),
    ("MX", ["5 mail.example"], {},
     "expected MX 5 mail.example, got 10 mail.example, 20 mail2.example"),
    ("TXT", ["v=spf1 -all"], {}, None),
    ("TXT", ["V=SPF1 -all"], {}, "expected TXT V=SPF1 -all, got v=spf1 -all"),
    ("NS", ["NS1.example"], {}, None),
    ("SOA", ["ns1.example hostmaster.example 7 3600 600 86400 300"], {}, None),
    ("CAA", ['0 issue "ca.example"'], {}, None),
    ("CNAME", None, {"host": "www.a.example"}, None),
    ("CNAME", ["a.example"], {"host": "www.a.example"}, None),
    ("CNAME", None, {}, "a.example has no CNAME record"),
    ("A", None, {"host": "gone.example"}, "gone.example does not exist (NXDOMAIN)"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_records(
    watch: Watch, row: tuple[str, list[str] | None, dict[str, Any], str | None]
) -> None:
    record_type, expected, more, error = row
    with serving_names(ZONE) as server:
        config = {"host": "a.example", "record_type": record_type, "expected": expected, **more}
        result = watch("dns", resolver=f"127.0.0.1:{server.address[1]}", **config)
    assert (result.verdict, result.error and result.error.removesuffix(" (twice)")) == (
        "DOWN" if error else "UP",
        error,
    )
    assert result.reason == ("dns" if error else None)
    if error and error.startswith("expected"):
        assert result.attempts == 1


def test_wrong_records_that_come_late_are_both_told(watch: Watch) -> None:
    with serving_names(late(ZONE, 0.05)) as server:
        config = {"host": "a.example", "record_type": "A", "expected": ["192.0.2.9"]}
        resolver = f"127.0.0.1:{server.address[1]}"
        result = watch("dns", resolver=resolver, expect={"max_response_ms": 20}, **config)
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", "dns", 1)
    mismatch, slow = (result.error or "").split("; ")
    assert mismatch.startswith("expected A 192.0.2.9, got ")
    assert slow.startswith("expected at most 20 ms, took ")


@pytest.mark.parametrize(
    ("reply", "reason", "says"),
    [
        (fails(dns.rcode.SERVFAIL), "dns", "SERVFAIL"),
        (fails(dns.rcode.REFUSED), "dns", "REFUSED"),
        (silent, "timeout", "timed out"),
        (lambda _: b"nonsense", "timeout", "timed out"),
    ],
)
def test_a_resolver_of_the_targets_own_is_evidence(
    watch: Watch, reply: Reply, reason: str, says: str
) -> None:
    with serving_names(reply) as server:
        resolver = f"127.0.0.1:{server.address[1]}"
        result = watch("dns", within_s=0.6, host="a.example", record_type="A", resolver=resolver)
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", reason, 2)
    assert says in (result.error or "")
    assert result.response_ms < 850


def test_a_resolver_that_is_not_there(watch: Watch) -> None:
    with serving_names(silent) as server:
        resolver = f"127.0.0.1:{server.address[1]}"
    result = watch("dns", host="a.example", record_type="A", resolver=resolver)
    assert (result.verdict, result.reason) == ("DOWN", "refused")


def test_what_is_no_answer_to_the_question_is_passed_over(watch: Watch) -> None:
    def reply(query: dns.message.Message) -> list[bytes]:
        right, late = ZONE(query), ZONE(query)
        assert isinstance(right, bytes)
        assert isinstance(late, bytes)
        other = records("b.example. A 192.0.2.66")(dns.message.make_query("b.example.", "A"))
        assert isinstance(other, bytes)
        forged = query.id.to_bytes(2, "big") + other[2:]
        return [b"", late[:11], forged, bytes([late[0] ^ 1]) + late[1:], query.to_wire(), right]

    with serving_names(reply) as server:
        resolver = f"127.0.0.1:{server.address[1]}"
        result = watch("dns", host="a.example", resolver=resolver, expected=["192.0.2.3"])
    assert (result.verdict, result.error) == ("UP", None)


def test_an_answer_may_have_so_many_records(watch: Watch) -> None:
    """More of them than any name has would take dnspython seconds to read."""
    few, many = (records(*(f"a.example. A 10.0.{n}.1" for n in range(size))) for size in (249, 250))
    for reply, error in ((few, None), (many, "the resolver's response has more than 250 records")):
        with serving_names(reply) as server:
            resolver = f"127.0.0.1:{server.address[1]}"
            result = watch("dns", host="a.example", resolver=resolver)
        assert (result.reason, result.error) == ("dns" if error else None, error)


def test_a_long_answer_comes_by_tcp(watch: Watch) -> None:
    cut = records("a.example. A 192.0.2.7", flags=dns.flags.TC)
    with serving_names(cut, ZONE) as server:
        resolver = f"127.0.0.1:{server.address[1]}"
        config = {"host": "a.example", "record_type": "A", "expected": ["192.0.2.3"]}
        assert watch("dns", resolver=resolver, **config).verdict == "UP"


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        (ZONE, "UP", None),
        (fails(dns.rcode.SERVFAIL), "DOWN", "dns"),
        (fails(dns.rcode.REFUSED), "UNKNOWN", "internal"),
        (silent, "UNKNOWN", "internal"),
    ],
)
def test_without_a_resolver_the_systems_is_asked(
    reply: Reply, verdict: str, reason: str | None
) -> None:
    with serving_names(reply) as server:
        names = SystemNames(hosts="", resolv_conf="", servers=[server.address])
        checker = Checker(Guard(), resolver=SystemResolver(names), pause_s=0)
        target = spec("dns", host="a.example", record_type="MX")
        result = checker.check(target, time.monotonic() + 0.6)
        checker.close()
    assert (result.verdict, result.reason) == (verdict, reason)


def test_an_unknown_record_type(watch: Watch) -> None:
    result = watch("dns", host="a.example", record_type="AXFR")
    assert (result.verdict, result.reason) == ("DOWN", "blocked")
