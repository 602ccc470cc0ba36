"""Every operation does what the OpenAPI document says, whatever it is called with.

schemathesis makes the calls from the document: valid ones, broken ones, and chains along its links
from what creates to what reads, changes and deletes. No answer may be a 5xx, or have a status, a
content type, a header or a body that the document does not know.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chalicelib.api import door
from chalicelib.api.routing import Route
from chalicelib.api.table import ALL
from chalicelib.ops.openapi_parts import LINKS
from chalicelib.services.callers import Principal, authenticate
from tests.stages import standing_stage
from tests.world import DOWN, Person, World
from tests.wsgi import application

Recorder = Callable[[str, object], None]
CASES = 300
SECONDS = 2.0
"""What one operation may take: a slow machine tries fewer cases, but never fewer than LEAST."""
LEAST = 25
CHAINS_SECONDS = 15.0
PLAIN: dict[str, Any] = {
    "name": "Made up",
    "url": "https://shop.example/",
    "host": "shop.example",
    "address": "ops@shop.example",
    "timeout_s": 10,
    "resolver": None,
    "expected": [],
    "expect": {},
    "headers": {},
    "tags": [],
    "channel_ids": [],
    "target_ids": [],
    "sections": [],
    "expires_at": None,
}
NOT_FINE_ALREADY = {"get_health": {503}}
"""Statuses above 499 that are no fault: an installation that has not begun is not well."""
CONFORMANCE: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


class Enough(BaseException):
    """The time is up; what hypothesis knows of exceptions does not hold it."""


@pytest.fixture(scope="module")
def stage() -> Iterator[World]:
    with standing_stage() as world, pytest.MonkeyPatch.context() as patch:
        known: dict[str, Principal] = {}

        def remembered(token: str, now: float) -> Principal:
            # Reading the caller anew would take most of the time; others test that it is done.
            if token not in known:
                known[token] = authenticate(token, now)
            return known[token]

        patch.setattr(door, "authenticate", remembered)
        send = world.queue.send

        def send_and_check(messages: Any) -> None:
            send(messages)
            world.deliver()

        patch.setattr(world.queue, "send", send_and_check)
        yield world


@pytest.fixture(scope="module")
def alice(stage: World) -> Person:
    return stage.user("alice", admin=True)


@pytest.fixture(scope="module")
def ids(stage: World, alice: Person) -> dict[str, str]:
    """Things that are there, by the name of the parameter that leads to them."""
    target = alice.make_target(failure_threshold=1, tags=["prod"])
    stage.checker.script[target["id"]] = DOWN
    stage.run(150)
    channel = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
    made = alice.post("/v1/channels", channel).json
    stage.tell_all()
    page = {"name": "Shop", "slug": "shop", "tags": ["prod"], "published": True}
    return {
        "page_id": alice.post("/v1/pages", page).json["id"],
        "slug": "shop",
        "badge": "shop",
        "picture": "status.svg",
        "target_id": target["id"],
        "channel_id": made["id"],
        "incident_id": alice.get("/v1/incidents").json["items"][0]["id"],
        "token_id": alice.post("/v1/tokens", {"name": "second"}).json["id"],
        "user_id": stage.user("bob").owner,
    }


@pytest.fixture
def schema(stage: World) -> BaseSchema:
    found = schemathesis.openapi.from_wsgi("/v1/openapi.json", application(stage.gateway))
    found.config.update(base_url="http://localhost")
    return found


def cases(schema: BaseSchema, route: Route) -> SearchStrategy[Case[Any]]:
    """Calls of an operation that fit its description, and calls that do not."""
    operation = schema[route.path][route.method]
    return st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )


def is_to_be_refused(case: Case[Any], status: int) -> bool:
    """Whether the body is broken; a broken token is replaced by a good one before it is sent.

    Whether the version fits is looked at before the body.
    """
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    return body is not None and body.mode is GenerationMode.NEGATIVE and status != 412


@pytest.mark.parametrize("route", ALL, ids=lambda route: route.name)
def test_an_operation_does_what_the_document_says(
    schema: BaseSchema, route: Route, alice: Person, ids: dict[str, str], record_property: Recorder
) -> None:
    seen: Counter[int] = Counter()
    until = time.monotonic() + SECONDS

    @settings(max_examples=CASES, **SETTINGS)
    @given(case=cases(schema, route), is_there=st.booleans())
    def call(case: Case[Any], is_there: bool) -> None:
        if time.monotonic() > until and seen.total() >= LEAST:
            raise Enough
        if is_there and route.method != "DELETE":
            case.path_parameters.update(
                {name: ids[name] for name in case.path_parameters if name in ids}
            )
        answer = case.call(headers={"Authorization": f"Token {alice.token}"})
        seen[answer.status_code] += 1
        is_fine = answer.status_code in NOT_FINE_ALREADY.get(route.name, ())
        checks = CONFORMANCE if is_fine else [not_a_server_error, *CONFORMANCE]
        refusals = [negative_data_rejection] if is_to_be_refused(case, answer.status_code) else []
        case.validate_response(answer, checks=[*checks, *refusals])

    with suppress(Enough):
        call()
    assert seen.total() >= 1
    record_property("cases", dict(seen))


def test_what_is_created_can_be_read_changed_and_deleted(
    schema: BaseSchema, alice: Person, record_property: Recorder
) -> None:
    """Chains of calls along the links of the document."""

    @schema.hook
    def map_body(_context: Any, body: Any) -> Any:
        # What is made up is hardly ever an address that can be watched, or a line of text.
        if not isinstance(body, dict):
            return body
        return {**body, **{name: value for name, value in PLAIN.items() if name in body}}

    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    linked = schema.include(
        operation_id=sorted({*LINKS, *(n for of in LINKS.values() for n in of)})
    )
    seen: Counter[str] = Counter()
    until = time.monotonic() + CHAINS_SECONDS

    machine: Any = linked.as_state_machine()

    class Chains(machine):  # type: ignore[misc]
        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Token {alice.token}"}}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            name = case.operation.definition.raw["operationId"]
            seen[f"{name} {response.status_code}"] += 1
            is_fine = response.status_code in NOT_FINE_ALREADY.get(name, ())
            checks = CONFORMANCE if is_fine else [not_a_server_error, *CONFORMANCE]
            case.validate_response(response, checks=checks)

        def step(self, *args: Any, **kwargs: Any) -> Any:
            if time.monotonic() > until:
                raise Enough
            return super().step(*args, **kwargs)

    # What a chain can go on with depends on what the stage remembers: Hypothesis may notice that.
    with suppress(Enough, FlakyStrategyDefinition):
        Chains.run(settings=settings(max_examples=CASES, stateful_step_count=8, **SETTINGS))
    record_property("calls", dict(seen))
    nouns = ("target", "channel", "page", "user")
    reads = (*(f"get_{noun} 200" for noun in nouns), "list_checks 200")
    ends = ("delete_target 204", "delete_channel 204", "delete_page 204", "revoke_token 204")
    assert any(seen[one] for one in reads), "no chain came to read what it had made"
    assert any(seen[one] for one in ends), "no chain came to delete what it had made"
