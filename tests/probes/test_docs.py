"""docs/checks.md is true: every example is executed, every name in the code is explained."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.expectations import JSON_TESTS, Expectations
from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import MAIL_AND_DATABASE_PORTS, Guard
from chalicelib.probes.run import KINDS
from tests.probes.dns_server import records, serving_names
from tests.probes.fake_resolver import FakeNames
from tests.probes.hostile import Behaviour, Peer, resets_after, serving, with_tls
from tests.probes.pki import Authority, server_context
from tests.probes.specs import spec

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[tuple[str, str, str, str]]:
    """Yield (server's language, server, target, outcome) of each example."""
    server = ("", "")
    target = ""
    for language, text in _BLOCK.findall(PAGE):
        if language == "json":
            target = text
        elif language == "text":
            yield (*server, target, text.strip())
            server = ("", "")
        else:
            server = (language, text)


EXAMPLES = list(examples())


def test_there_are_examples_of_every_kind() -> None:
    kinds = {json.loads(target)["kind"] for _, _, target, _ in EXAMPLES}
    assert kinds == set(KINDS)


def test_there_are_examples_of_every_expectation() -> None:
    expected = [json.loads(target).get("expect", {}) for _, _, target, _ in EXAMPLES]
    conditions = [condition for expect in expected for condition in expect.get("json", ())]
    assert {name for expect in expected for name in expect} == {
        field.name for field in fields(Expectations)
    }
    assert {name for condition in conditions for name in condition} == {"path", *JSON_TESTS}


def test_there_are_examples_of_every_verdict_and_reason() -> None:
    outcomes = [re.split("[ :]", outcome) for *_, outcome in EXAMPLES]
    assert {verdict for verdict, *_ in outcomes} == set(Verdict)
    reasons = {reason for _, reason, *_ in (one for one in outcomes if len(one) > 1)}
    assert reasons == set(Reason) - {Reason.HEARTBEAT_MISSED}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[3][:50])
def test_an_example(
    example: tuple[str, str, str, str], authority: Authority, ca_file: Path, tmp_path: Path
) -> None:
    language, server, target, outcome = example
    with ExitStack() as stack:
        port = serve(stack, language, server, authority, tmp_path)
        names = FakeNames(shop_test=["127.0.0.1"])
        checker = Checker(
            Guard(allow_private=True), resolver=names, ca_file=str(ca_file), pause_s=0
        )
        stack.callback(checker.close)
        target, outcome = (re.sub(r"\b(8080|5353)\b", str(port), x) for x in (target, outcome))
        watched = as_spec(json.loads(target))
        result = checker.check(watched, time.monotonic() + watched.timeout_s)
    told = f"{result.verdict} {result.reason}: {result.error}" if result.reason else result.verdict
    assert re.fullmatch(re.escape(outcome).replace("…", r"\d+"), str(told)), told


def serve(stack: ExitStack, language: str, text: str, authority: Authority, folder: Path) -> int:
    if language == "zone":
        return stack.enter_context(serving_names(records(*text.splitlines()))).address[1]
    if language == "tls":
        said = dict(line.split(": ") for line in text.splitlines())
        file = authority.issue(folder / "x.pem", [said["names"]], days=float(said["days"]))
        behave = with_tls(server_context(file))
    elif language == "server":
        behave = SERVERS[text.strip()]
    else:
        behave = says(language, text)
    server = stack.enter_context(serving(behave))
    if text == "closes the port\n":
        server.close()
    return server.port


SERVERS: dict[str, Behaviour] = {
    "closes the port": Peer.wait,
    "resets the connection": resets_after(b""),
    "says nothing": Peer.wait,
}


def says(language: str, text: str) -> Behaviour:
    delay = re.search(r"Delay-Before-Answer-Ms: (\d+)", text)

    def behave(peer: Peer) -> None:
        if language == "http":
            peer.read_request()
        if delay:
            time.sleep(int(delay[1]) / 1000)
        peer.say(text.replace("\n", "\r\n").encode())

    return behave


def as_spec(target: dict[str, Any]) -> CheckSpec:
    expect = target.pop("expect", {})
    secrets = {"send": target.pop("send", None)}
    return spec(target.pop("kind"), expect=expect, secrets=secrets, **target)


def test_every_name_is_explained() -> None:
    names = {*Reason, *Verdict, *KINDS, *JSON_TESTS}
    names |= {field.name for field in fields(Expectations)}
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []
    for port in MAIL_AND_DATABASE_PORTS:
        assert re.search(rf"\b{port}\b", PAGE)
