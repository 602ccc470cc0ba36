"""What the tests of the contract share: which calls are made, and how an answer is judged."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
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

from chalicelib.api.routing import Route
from ops.openapi import document as openapi
from tests.api.isolated_stage import Stage
from tests.support.wsgi import application

MOST_CASES = 300
CASES = int(os.environ.get("CONTRACT_CASES", "30"))
"""Calls of each operation, at least; `make test-contract` makes MOST_CASES."""
MADE_UP = max(6, CASES // 5)
"""Of these, at least, are made up."""
_BOTH = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
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
"""What is made up is hardly ever an address that can be watched, or a line of text."""
_EVERY_NIGHT = {
    "name": "x",
    "tags": ["x"],
    "cron": "0 3 * * *",
    "timezone": "UTC",
    "duration_s": 3_600,
}
_TIMES = {"starts_at", "ends_at", "cron", "timezone", "duration_s"}
_JUDGED_ONE_BY_ONE = {"create_targets"}
"""What is broken in an item of a batch is told of in its place of a good answer."""
_CONFORMANCE: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def document(stage: Stage) -> BaseSchema:
    """The committed document, to call the stage by.

    Without its security: broken tokens would take the place of what else could be broken, and have
    tests of their own.
    """
    found = json.loads(openapi.FILE.read_text(encoding="utf-8"))
    del found["security"], found["components"]["securitySchemes"]
    answer = json.dumps(found).encode()
    ask = application(stage.world.gateway)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/document":
            return ask(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [answer]

    schema = schemathesis.openapi.from_wsgi("/document", app)
    schema.config.update(base_url="http://localhost")
    return schema


def judge(case: Case[Any], route: Route, answer: Any) -> None:
    """Fail where an answer is not what the document says."""
    if case.method.upper() != route.method:
        assert answer.status_code in {404, 405, 400}, answer.text
        return
    checks = [not_a_server_error, *_CONFORMANCE]
    if _is_to_be_refused(case, answer.status_code) and route.name not in _JUDGED_ONE_BY_ONE:
        checks.append(negative_data_rejection)
    case.validate_response(answer, checks=checks)


def _is_to_be_refused(case: Case[Any], status: int) -> bool:
    """Whether body or query are broken; the version that is named is looked at before them."""
    parts = case.meta.components if case.meta else {}
    modes = [parts[at].mode for at in _REFUSED if at in parts]
    return GenerationMode.NEGATIVE in modes and status != 412


_REFUSED = (ParameterLocation.BODY, ParameterLocation.QUERY)


def plain(body: Any) -> Any:
    """A body with values that can be stored, where there is a field of that name."""
    if not isinstance(body, dict):
        return body
    if body.keys() & _TIMES:
        kept = {name: value for name, value in body.items() if name not in {*PLAIN, *_TIMES}}
        return {**kept, **_EVERY_NIGHT}
    return {**body, **{name: value for name, value in PLAIN.items() if name in body}}


def takes_something(route: Route) -> bool:
    """Whether there is anything to vary in a call."""
    return bool(
        "{" in route.path or route.body or route.query.model_fields or route.request_headers
    )


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


def try_out(schema: BaseSchema, stage: Stage, route: Route) -> Counter[int]:
    """Call an operation with one thing after the other, then with what is made up; fail where an
    answer is not what the document says. Returns how often it answered with which status.
    """
    seen: Counter[int] = Counter()

    def call(case: Case[Any], *, is_there: bool, is_plain: bool) -> None:
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
        call(case, is_there=number % 4 != 0, is_plain=number % 2 == 0)

    def make_up(count: int) -> None:
        @settings(max_examples=count, **SETTINGS)
        @given(case=made_up(schema, route), is_there=st.booleans(), is_plain=st.booleans())
        def call_more(case: Case[Any], is_there: bool, is_plain: bool) -> None:
            call(case, is_there=is_there, is_plain=is_plain)

        call_more()

    make_up(max(MADE_UP, CASES - seen.total()))
    if not seen[route.status] and CASES < MOST_CASES:
        # Few operations need more attempts before one of them succeeds.
        make_up(MOST_CASES)
    return seen
