"""Targets as their owners describe them, and whether that can be watched."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.common.errors import Fault, InvalidError
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.expectations import BadExpectation, read_expectations
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.target import LANE_SIZE, SPEC_BYTES
from chalicelib.probes.assertions.json_assertions import compile_path
from chalicelib.probes.assertions.safe_regex import BadPattern, compile_pattern
from chalicelib.probes.errors import BadPath
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.urls import TLS_PORT, BadUrl, parse_host, parse_url, resolver_endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A target as its owner describes it, valid by the schema."""

    name: str
    kind: str
    interval_s: int
    timeout_s: int
    failure_threshold: int
    recovery_threshold: int
    config: Mapping[str, Any]
    expect: Mapping[str, Any]
    secrets: Secrets = field(default_factory=Secrets)
    tags: Sequence[str] = ()
    channel_ids: Sequence[str] = ()
    enabled: bool = True

    def spec(self, target_id: str, place: int) -> CheckSpec:
        """What of it travels to the worker."""
        return CheckSpec(
            target_id=target_id,
            place=place,
            kind=self.kind,
            interval_s=self.interval_s,
            timeout_s=self.timeout_s,
            failure_threshold=self.failure_threshold,
            recovery_threshold=self.recovery_threshold,
            config=self.config,
            expect=self.expect,
            has_secrets=bool(self.secrets),
        )


def admit(guard: Guard, draft: Draft) -> None:
    """Refuse what could never be checked; raises InvalidError, naming every field."""
    faults = (*_address_faults(guard, draft), *_expectation_faults(draft), *_size_faults(draft))
    if faults:
        raise InvalidError("the target cannot be watched", faults)


def admit_addressee(draft: Draft, before: Mapping[str, Any]) -> None:
    """Refuse to send stored secrets, which nobody can read, to another host than they were for.

    `before` is the configuration that the target had. Raises InvalidError.
    """
    if not draft.secrets.has_masks or _addressee(draft.config) == _addressee(before):
        return
    field = "url" if "url" in draft.config else "host"
    fault = Fault(("body", field), "leads to another host: give its secrets again, unmasked")
    raise InvalidError("stored secrets are not sent to another host", (fault,))


def _addressee(config: Mapping[str, Any]) -> object:
    """Who hears the secrets of a target: an origin, or a host and port."""
    if "url" in config:
        return parse_url(config["url"]).origin
    return parse_host(config["host"]), config.get("port")


def _address_faults(guard: Guard, draft: Draft) -> Iterator[Fault]:
    config = draft.config
    if "url" in config:
        yield from _refused(("body", "url"), lambda: guard.validate_url(config["url"]))
    elif draft.kind == "dns":
        yield from _refused(("body", "host"), lambda: parse_host(config["host"]))
        if resolver := config.get("resolver"):
            yield from _refused(("body", "resolver"), lambda: _admit_resolver(guard, resolver))
    else:
        port = config.get("port", TLS_PORT)
        yield from _refused(("body", "host"), lambda: guard.validate_host(config["host"], port))


def _admit_resolver(guard: Guard, resolver: str) -> None:
    host, port = resolver_endpoint(resolver)
    guard.validate_host(host.name, port)


def _refused(field: tuple[str, ...], judge: Callable[[], object]) -> Iterator[Fault]:
    try:
        judge()
    except BadUrl as error:
        yield Fault(field, str(error))


def _expectation_faults(draft: Draft) -> Iterator[Fault]:
    """What the checker could not read: it would never say more than that it does not know."""
    try:
        expected = read_expectations(draft.expect)
    except BadExpectation as error:
        yield Fault(("body", "expect", *error.place), str(error))
        return
    yield from _pattern_faults(("body_matches",), expected.body_matches)
    for place, condition in enumerate(expected.json):
        try:
            compile_path(condition.path)
        except BadPath as error:
            yield Fault(("body", "expect", "json", place, "path"), str(error))
        patterns = dict(condition.tests)
        yield from _pattern_faults(("json", place, "matches"), patterns.get("matches"))


def _pattern_faults(field: tuple[str | int, ...], pattern: str | None) -> Iterator[Fault]:
    try:
        if pattern is not None:
            compile_pattern(pattern)
    except BadPattern as error:
        yield Fault(("body", "expect", *field), str(error))


def _size_faults(draft: Draft) -> Iterator[Fault]:
    message = draft.spec("0" * 36, LANE_SIZE).to_message()
    size = len(json.dumps(message).encode())
    if size > SPEC_BYTES:
        fields = {**draft.config, "expect": draft.expect}
        largest = max(fields, key=lambda name: len(json.dumps(fields[name])))
        rule = f"the target takes {size} bytes as it travels; {SPEC_BYTES} is the most that can"
        yield Fault(("body", largest), rule)
