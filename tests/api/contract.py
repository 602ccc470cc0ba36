"""Generate calls from the OpenAPI document and check the responses against it."""

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

MAX_CASES = 300
CASES = int(os.environ.get("CONTRACT_CASES", "30"))
"""The minimum number of calls per operation; `make test-contract` uses MAX_CASES."""
RANDOM_CASES = max(6, CASES // 5)
"""The minimum number of random calls among them."""
_BOTH = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
PLAIN: dict[str, Any] = {
    "name": "Generated",
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
"""Valid values for fields whose random values are almost always rejected."""
_EVERY_NIGHT = {
    "name": "x",
    "tags": ["x"],
    "cron": "0 3 * * *",
    "timezone": "UTC",
    "duration_s": 3_600,
}
_TIMES = {"starts_at", "ends_at", "cron", "timezone", "duration_s"}
_REPORTS_PER_ITEM = {"create_targets"}
"""A batch reports the faults of its items inside a successful response."""
_CONFORMANCE: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def document(stage: Stage) -> BaseSchema:
    """Load the committed document as a schema that calls the stage.

    Its security is removed: otherwise many generated calls would fail because of invalid tokens,
    which have their own tests.
    """
    found = json.loads(openapi.FILE.read_text(encoding="utf-8"))
    del found["security"], found["components"]["securitySchemes"]
    content = json.dumps(found).encode()
    api = application(stage.world.gateway)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/document":
            return api(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [content]

    schema = schemathesis.openapi.from_wsgi("/document", app)
    schema.config.update(base_url="http://localhost")
    return schema


def check_response(case: Case[Any], route: Route, response: Any) -> None:
    """Assert that a response matches the document."""
    if case.method.upper() != route.method:
        assert response.status_code in {404, 405, 400}, response.text
        return
    checks = [not_a_server_error, *_CONFORMANCE]
    if _must_be_rejected(case, response.status_code) and route.name not in _REPORTS_PER_ITEM:
        checks.append(negative_data_rejection)
    case.validate_response(response, checks=checks)


def _must_be_rejected(case: Case[Any], status: int) -> bool:
    """Whether the body or query is invalid.

    A failed If-Match (412) and a body that is too large (413) take precedence.
    """
    parts = case.meta.components if case.meta else {}
    modes = [parts[at].mode for at in _VALIDATED if at in parts]
    return GenerationMode.NEGATIVE in modes and status not in {412, 413}


_VALIDATED = (ParameterLocation.BODY, ParameterLocation.QUERY)


def plain(body: Any) -> Any:
    """Replace the fields of PLAIN in a body with valid values."""
    if not isinstance(body, dict):
        return body
    if body.keys() & _TIMES:
        kept = {name: value for name, value in body.items() if name not in {*PLAIN, *_TIMES}}
        return {**kept, **_EVERY_NIGHT}
    return {**body, **{name: value for name, value in PLAIN.items() if name in body}}


def has_inputs(route: Route) -> bool:
    """Whether the operation has any inputs to vary."""
    return bool(
        "{" in route.path or route.body or route.query.model_fields or route.request_headers
    )


def coverage_cases(schema: BaseSchema, route: Route) -> Iterator[Case[Any]]:
    """Generate a call for each constraint in the schema: bounds, formats, fields."""
    operation = schema[route.path][route.method]
    return schema.iter_coverage_cases(
        operation, generation_modes=_BOTH, generation_config=schema.config.generation
    )


def random_cases(schema: BaseSchema, route: Route) -> SearchStrategy[Case[Any]]:
    """Generate random calls, of which one in three is invalid."""
    operation = schema[route.path][route.method]
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not has_inputs(route):
        # Only unknown parameters are left to vary.
        return st.builds(_with_query, good, st.dictionaries(st.text(min_size=1), st.text()))
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.one_of(good, good, bad)


def _with_query(case: Case[Any], query: dict[str, str]) -> Case[Any]:
    case.query.update(query)
    return case


def exercise(schema: BaseSchema, stage: Stage, route: Route) -> Counter[int]:
    """Call an operation with coverage cases, then with random ones, and check every response.

    Returns the number of responses by status.
    """
    seen: Counter[int] = Counter()

    def call(case: Case[Any], *, exists: bool, is_plain: bool) -> None:
        stage.reset()
        if exists:
            existing = {
                at: stage.existing[at] for at in case.path_parameters if at in stage.existing
            }
            case.path_parameters.update(existing)
        if is_plain and case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
            case.body = plain(case.body)
        response = stage.call(case)
        seen[response.status_code] += 1
        check_response(case, route, response)

    for number, case in enumerate(coverage_cases(schema, route)):
        call(case, exists=number % 4 != 0, is_plain=number % 2 == 0)

    def call_randomly(count: int) -> None:
        @settings(max_examples=count, **SETTINGS)
        @given(case=random_cases(schema, route), exists=st.booleans(), is_plain=st.booleans())
        def call_more(case: Case[Any], exists: bool, is_plain: bool) -> None:
            call(case, exists=exists, is_plain=is_plain)

        call_more()

    call_randomly(max(RANDOM_CASES, CASES - seen.total()))
    if not seen[route.status] and CASES < MAX_CASES:
        # A few operations need more attempts until one succeeds.
        call_randomly(MAX_CASES)
    return seen
