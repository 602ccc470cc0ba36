"""Names to addresses: by the machine's own configuration, in time, and whose fault a silence is."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.resolv_conf import ResolvConf, SystemNames, parse_hosts
from chalicelib.probes.net.resolver import SystemResolver
from tests.probes.dns_server import (
    NamesServer,
    Reply,
    answers_only_the_root,
    fails,
    records,
    serving_names,
    silent,
)

Resolve = Callable[..., list[str]]
BOTH = ("a.example. A 192.0.2.1", "a.example. A 192.0.2.2", "a.example. AAAA 2001:db8::1")


def resolve(
    name: str, *servers: NamesServer | tuple[str, int], within_s: float = 3.0, hosts: str = ""
) -> list[str]:
    given = [server if isinstance(server, tuple) else server.address for server in servers]
    names = SystemNames(hosts=hosts, resolv_conf="", servers=given)
    found = SystemResolver(names).resolve(name, time.monotonic() + within_s)
    return sorted(str(address) for address in found)


def failure(name: str, *servers: NamesServer | tuple[str, int], within_s: float) -> CheckFailure:
    started = time.monotonic()
    with pytest.raises(CheckFailure) as failed:
        resolve(name, *servers, within_s=within_s)
    assert time.monotonic() - started < within_s + 0.2
    return failed.value


def test_both_families_are_found() -> None:
    with serving_names(records(*BOTH)) as server:
        assert resolve("a.example", server) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
        assert sorted(server.asked) == ["a.example. A", "a.example. AAAA"]


def test_one_family_is_enough() -> None:
    with serving_names(records("a.example. AAAA 2001:db8::1")) as server:
        assert resolve("a.example", server) == ["2001:db8::1"]


def test_aliases_are_followed_and_strangers_passed_over() -> None:
    lines = (
        "a.example. CNAME b.example.",
        "b.example. CNAME c.example.",
        "c.example. A 192.0.2.7",
        "stranger.example. A 192.0.2.99",
    )
    with serving_names(records(*lines)) as server:
        assert resolve("a.example", server) == ["192.0.2.7"]


ERRORS: list[tuple[str, Reply, str, str]] = [
    ("no such name", records(), "dns", "a.example does not exist (NXDOMAIN)"),
    ("a name without address", records("a.example. TXT x"), "dns", "a.example has no address"),
    ("broken name servers", fails(dns.rcode.SERVFAIL), "dns", "(SERVFAIL)"),
    ("a resolver that refuses", fails(dns.rcode.REFUSED), "internal", "refuses"),
    ("a resolver that cannot", fails(dns.rcode.NOTIMP), "internal", "refuses"),
]


@pytest.mark.parametrize(
    ("reply", "reason", "says"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_what_a_resolver_says_is_told_apart(reply: Reply, reason: str, says: str) -> None:
    with serving_names(reply) as server:
        failed = failure("a.example", server, within_s=2)
    assert (failed.reason, failed.internal) == (reason, reason == "internal")
    assert says in failed.text


def test_a_timeout_for_one_name_is_blamed_on_the_name() -> None:
    with serving_names(answers_only_the_root) as server:
        failed = failure("a.example", server, within_s=1.5)
    assert (failed.reason, failed.internal) == ("dns", False)
    assert "timed out" in failed.text


def test_a_resolver_that_never_responds_is_an_internal_failure() -> None:
    with serving_names(silent) as server:
        failed = failure("a.example", server, within_s=1.3)
    assert (failed.reason, failed.internal) == ("internal", True)


def test_an_unreachable_resolver_is_an_internal_failure() -> None:
    with serving_names(silent) as server:
        closed = server.address
    failed = failure("a.example", closed, within_s=0.4)
    assert (failed.reason, failed.internal) == ("internal", True)


def test_the_next_server_is_asked() -> None:
    gone = ("127.0.0.1", 1)
    ill_reply, well_reply = fails(dns.rcode.SERVFAIL), records(*BOTH)
    with (
        serving_names(silent) as deaf,
        serving_names(ill_reply) as ill,
        serving_names(well_reply) as well,
    ):
        for first in (deaf, ill, gone):
            assert len(resolve("a.example", first, well)) == 3


def test_a_lost_question_is_asked_again() -> None:
    lost = iter([True, True])

    def reply(query: dns.message.Message) -> bytes | None:
        made = records(*BOTH)(query)
        assert isinstance(made, bytes)
        return None if next(lost, False) else made

    with serving_names(reply) as server:
        assert len(resolve("a.example", server)) == 3


def test_one_silent_family_holds_up_for_a_moment_only() -> None:
    def reply(query: dns.message.Message) -> bytes | list[bytes] | None:
        return records(*BOTH)(query) if query.question[0].rdtype == 1 else None

    with serving_names(reply) as server:
        started = time.monotonic()
        assert resolve("a.example", server) == ["192.0.2.1", "192.0.2.2"]
        assert time.monotonic() - started < 1


def test_an_answer_that_is_cut_is_fetched_whole() -> None:
    cut = records("a.example. A 192.0.2.1", flags=dns.flags.TC)
    with serving_names(cut, records(*BOTH)) as server:
        assert len(resolve("a.example", server)) == 3


def forged(change: Callable[[dns.message.Message], None]) -> Reply:
    """Send a forged answer first, then the true one."""

    def reply(query: dns.message.Message) -> list[bytes]:
        fake = dns.message.from_wire(query.to_wire())
        change(fake)
        lies = records(*(line.replace("192.0.2", "198.51.100") for line in BOTH))(fake)
        truth = records(*BOTH)(query)
        assert isinstance(lies, bytes)
        assert isinstance(truth, bytes)
        return [b"", b"\0", lies, query.to_wire(), truth[:20], truth]

    return reply


def _other_id(query: dns.message.Message) -> None:
    query.id = (query.id + 4) & 0xFFFF


def _other_name(query: dns.message.Message) -> None:
    query.question[0].name = dns.name.from_text("b.example.")


@pytest.mark.parametrize("change", [_other_id, _other_name])
def test_forged_answers_are_passed_over(change: Callable[[dns.message.Message], None]) -> None:
    with serving_names(forged(change)) as server:
        assert "192.0.2.1" in resolve("a.example", server)


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text("10.0.0.5 router Router.lan # ours\nnonsense\n\n::5 router\n300.1.1.1 x\n")
    return path


def test_hosts_come_first_and_are_read_again(hosts: Path) -> None:
    names = SystemNames(hosts=str(hosts), resolv_conf="", servers=[])
    assert [str(a) for a in names.in_hosts("router")] == ["10.0.0.5", "::5"]
    assert [str(a) for a in names.in_hosts("router.lan")] == ["10.0.0.5"]
    assert names.in_hosts("x") == ()
    hosts.write_text("10.0.0.66 router new\n")
    assert [str(a) for a in names.in_hosts("new")] == ["10.0.0.66"]


@pytest.mark.parametrize("name", ["localhost", "a.localhost"])
def test_localhost_is_this_machine_even_without_hosts(name: str) -> None:
    assert resolve(name) == ["127.0.0.1", "::1"]


def test_malformed_lines_of_hosts_are_skipped() -> None:
    assert parse_hosts("x\n1.2.3.4\n# a\n1.2.3.4 A b.\n") == {
        "a": parse_hosts("1.2.3.4 a")["a"],
        "b": parse_hosts("1.2.3.4 b")["b"],
    }


CONF = """
# comment
nameserver ns.example
nameserver 192.0.2.1
nameserver 2001:db8::1
nameserver 192.0.2.2
nameserver 192.0.2.3
search Corp.example. lan
options ndots:2 timeout:1 rotate ndots:x
"""


def test_resolv_conf() -> None:
    conf = ResolvConf(CONF)
    assert conf.servers == [("192.0.2.1", 53), ("2001:db8::1", 53), ("192.0.2.2", 53)]
    assert (conf.search, conf.ndots) == (["corp.example", "lan"], 2)
    assert ResolvConf("").servers == [("127.0.0.1", 53)]


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("box", ["box.corp.example", "box.lan", "box"]),
        ("a.box", ["a.box.corp.example", "a.box.lan", "a.box"]),
        ("a.b.box", ["a.b.box", "a.b.box.corp.example", "a.b.box.lan"]),
    ],
)
def test_search_domains(tmp_path: Path, name: str, candidates: Sequence[str]) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(CONF)
    assert SystemNames(resolv_conf=str(path)).candidates(name) == candidates


def test_search_domains_are_tried_until_one_is_there(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(CONF)
    with serving_names(records("box.lan. A 192.0.2.9")) as server:
        names = SystemNames("", str(path), servers=[server.address])
        deadline = time.monotonic() + 2
        assert [str(a) for a in SystemResolver(names).resolve("box", deadline)] == ["192.0.2.9"]
        with pytest.raises(CheckFailure, match="box does not exist"):
            SystemResolver(names, search=False).resolve("box", deadline)
