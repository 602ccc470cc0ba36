"""Every operation does what the OpenAPI document says, whatever it is called with.

schemathesis makes the calls from the document: valid ones and broken ones, first one for each thing
that a schema says, then made-up ones, and chains along its links from what creates to what reads,
changes and deletes. No answer may be a 5xx, or have a status, a content type, a header or a body
that the document does not know.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema

from chalicelib.api.routing import Route
from chalicelib.api.table import ALL
from chalicelib.ops.openapi_parts import LINKS
from tests.api.contract import (
    SETTINGS,
    Stage,
    document,
    judge,
    plain,
    stage_that_forgets,
    takes_something,
)

Recorder = Callable[[str, object], None]
CASES = 300
"""So many calls of each operation, at least; so many of these, at least, are made up."""
MADE_UP = 60
CHAINS, STEPS = 40, 8
UNLIKELY = {"show_confirmation", "confirm_address", "mail_confirmation"}
"""Nobody makes up a signed link, and what there is to begin with is no channel of mail."""
BEGINNINGS = {"pause_target", "resume_target"}
"""schemathesis takes them for what a chain may begin with, and then hardly anything else."""
BY_NAME = {route.name: route for route in ALL}
_BOTH = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with stage_that_forgets() as made:
        yield made


@pytest.fixture(scope="module")
def schema(stage: Stage) -> BaseSchema:
    return document(stage)


def one_by_one(schema: BaseSchema, route: Route) -> Iterator[Case[Any]]:
    """A call for each thing that the description says: each bound, each form, each field."""
    operation = schema[route.path][route.method]
    return schema.iter_coverage_cases(
        operation, generation_modes=_BOTH, generation_config=schema.config.generation
    )


def made_up(schema: BaseSchema, route: Route) -> SearchStrategy[Case[Any]]:
    """Calls that fit the description, and, one in three, calls that do not."""
    operation = schema[route.path][route.method]
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not takes_something(route):
        # What is left to make up are parameters that are not there.
        return st.builds(_asked, good, st.dictionaries(st.text(min_size=1), st.text()))
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.one_of(good, good, bad)


def _asked(case: Case[Any], query: dict[str, str]) -> Case[Any]:
    case.query.update(query)
    return case


@pytest.mark.parametrize("route", ALL, ids=lambda route: route.name)
def test_an_operation_does_what_the_document_says(
    schema: BaseSchema, route: Route, stage: Stage, record_property: Recorder
) -> None:
    seen: Counter[int] = Counter()

    def try_out(case: Case[Any], *, is_there: bool, is_plain: bool) -> None:
        stage.forget()
        if is_there:
            there = {at: stage.there[at] for at in case.path_parameters if at in stage.there}
            case.path_parameters.update(there)
        if is_plain and case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
            case.body = plain(case.body)
        answer = stage.call(case)
        seen[answer.status_code] += 1
        judge(case, route, answer)

    for number, case in enumerate(one_by_one(schema, route)):
        try_out(case, is_there=number % 4 != 0, is_plain=number % 2 == 0)

    @settings(max_examples=max(MADE_UP, CASES - seen.total()), **SETTINGS)
    @given(case=made_up(schema, route), is_there=st.booleans(), is_plain=st.booleans())
    def call(case: Case[Any], is_there: bool, is_plain: bool) -> None:
        try_out(case, is_there=is_there, is_plain=is_plain)

    call()
    record_property("cases", dict(seen))
    assert seen.total() >= CASES
    assert seen[route.status] or route.name in UNLIKELY, "it was never well answered"


@pytest.mark.parametrize("creation", LINKS)
def test_what_is_created_can_be_read_changed_and_deleted(
    stage: Stage, creation: str, record_property: Recorder
) -> None:
    """Chains of calls along the links of the document."""
    schema = document(stage)

    @schema.hook
    def map_body(_context: Any, body: Any) -> Any:
        return plain(body)

    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    linked = [name for name in LINKS[creation] if name not in BEGINNINGS]
    machine: Any = schema.include(operation_id=[creation, *linked]).as_state_machine()
    seen: Counter[str] = Counter()

    class Chains(machine):  # type: ignore[misc]
        def setup(self) -> None:
            # What a chain can go on with depends on the ids that it got: they come again.
            stage.forget()

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Token {stage.alice.token}"}}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            name = case.operation.definition.raw["operationId"]
            seen[f"{name} {response.status_code}"] += 1
            judge(case, BY_NAME[name], response)

    Chains.run(settings=settings(max_examples=CHAINS, stateful_step_count=STEPS, **SETTINGS))
    record_property("calls", dict(seen))
    ends = [name for name in linked if name.startswith(("get_", "delete_", "revoke_"))]
    for name in (creation, *ends):
        assert seen[f"{name} {BY_NAME[name].status}"], f"no chain came to {name} what it had made"
