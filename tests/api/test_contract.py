"""Responses to reading operations match the OpenAPI document, for valid and invalid input.

schemathesis generates the calls from the document: first one for each constraint of a schema, then
random ones. No response may be a 5xx or have an undocumented status, content type, header or body.
"""

from collections.abc import Callable

import pytest
from schemathesis.schemas import BaseSchema

from chalicelib.api.routing import Route
from chalicelib.routes import ALL
from tests.api.contract import CASES, exercise
from tests.api.isolated_stage import Stage

Recorder = Callable[[str, object], None]
UNLIKELY = {"show_confirmation"}
"""Random input never contains a validly signed link."""


@pytest.mark.parametrize(
    "route", [route for route in ALL if route.method == "GET"], ids=lambda route: route.name
)
def test_reading_operation_matches_document(
    schema: BaseSchema, route: Route, stage: Stage, record_property: Recorder
) -> None:
    seen = exercise(schema, stage, route)
    record_property("cases", dict(seen))
    assert seen.total() >= CASES
    assert seen[route.status] or route.name in UNLIKELY, "no call succeeded"
