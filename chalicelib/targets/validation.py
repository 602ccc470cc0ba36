"""Validation of targets beyond their schemas: whether the worker can and may check them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.common.errors import Fault, InvalidError
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.expectations import BadExpectation, read_expectations
from chalicelib.monitoring.secrets import MASK, Secrets
from chalicelib.monitoring.target import LANE_SIZE, SPEC_BYTES
from chalicelib.probes.assertions.json_assertions import compile_path
from chalicelib.probes.assertions.safe_regex import BadPattern, compile_pattern
from chalicelib.probes.errors import BadPath
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.urls import TLS_PORT, BadUrl, parse_host, parse_url, resolver_endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The fields of a target that its owner sets, valid by the schema."""

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
        """Return the part that is sent to the worker."""
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

    def spec_after(self, before: CheckSpec) -> CheckSpec:
        """Return the spec of a changed target, still with the versions of the one before."""
        spec = self.spec(before.target_id, before.place)
        return replace(spec, version=before.version, secrets_version=before.secrets_version)


def validate(guard: Guard, draft: Draft) -> None:
    """Refuse a target that could never be checked; raises InvalidError, naming every field."""
    faults = (*_address_faults(guard, draft), *_expectation_faults(draft), *_size_faults(draft))
    if faults:
        raise InvalidError("the target cannot be checked", faults)


def validate_recipient(draft: Draft, before: Mapping[str, Any], stored: Secrets) -> None:
    """Refuse to send stored secrets to another host; raises InvalidError.

    Secrets are masked in responses; a changed host would reveal them to whoever changes it.
    `before` is the target's previous configuration, `stored` its secrets.
    """
    if not draft.secrets.has_masks:
        return
    given, kept = _host_header(draft.secrets), _host_header(stored)
    if _recipient(draft.config) != _recipient(before):
        place: tuple[str, ...] = ("body", "url" if "url" in draft.config else "host")
    elif given not in (kept, MASK):
        place = ("body", "headers", "Host")
    else:
        return
    fault = Fault(place, "names another host; send the secrets again, unmasked")
    raise InvalidError("stored secrets are not sent to another host", (fault,))


def _host_header(secrets: Secrets) -> str:
    """The header that selects a host behind the same address; empty if it is that of the URL."""
    return next((text for name, text in secrets.headers.items() if name.lower() == "host"), "")


def _recipient(config: Mapping[str, Any]) -> object:
    """Return who receives the secrets of a target: an origin, or a host and port."""
    if "url" in config:
        return parse_url(config["url"]).origin
    return parse_host(config["host"]), config.get("port")


def _address_faults(guard: Guard, draft: Draft) -> Iterator[Fault]:
    config = draft.config
    if "url" in config:
        yield from _address_fault("url", lambda: guard.validate_url(config["url"]))
    elif draft.kind == "dns":
        yield from _address_fault("host", lambda: parse_host(config["host"]))
        if resolver := config.get("resolver"):
            yield from _address_fault("resolver", lambda: _validate_resolver(guard, resolver))
    else:
        port = config.get("port", TLS_PORT)
        yield from _address_fault("host", lambda: guard.validate_host(config["host"], port))


def _validate_resolver(guard: Guard, resolver: str) -> None:
    host, port = resolver_endpoint(resolver)
    guard.validate_host(host.name, port)


def _address_fault(field: str, check: Callable[[], object]) -> Iterator[Fault]:
    try:
        check()
    except BadUrl as error:
        yield Fault(("body", field), str(error))


def _expectation_faults(draft: Draft) -> Iterator[Fault]:
    """Report expectations that the worker cannot parse: each verdict would be UNKNOWN."""
    try:
        expected = read_expectations(draft.expect)
    except BadExpectation as error:
        yield Fault(("body", "expect", *error.place), str(error))
        return
    yield from _pattern_faults(("body_matches",), expected.body_matches)
    for index, condition in enumerate(expected.json):
        try:
            compile_path(condition.path)
        except BadPath as error:
            yield Fault(("body", "expect", "json", index, "path"), str(error))
        pattern = dict(condition.tests).get("matches")
        yield from _pattern_faults(("json", index, "matches"), pattern)


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
        rule = f"the target takes {size} bytes in a message; the limit is {SPEC_BYTES}; shorten it"
        yield Fault(("body", largest), rule)
