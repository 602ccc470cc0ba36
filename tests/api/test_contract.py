"""Every operation does what the OpenAPI document says, whatever it is called with.

schemathesis makes the calls from the document: valid ones and broken ones, first one for each thing
that a schema says, then made-up ones. No answer may be a 5xx, or have a status, a content type, a
header or a body that the document does not know.
"""

from collections.abc import Callable

import pytest
from schemathesis.schemas import BaseSchema

from chalicelib.api.routing import Route
from chalicelib.routes import ALL
from tests.api.contract import CASES, try_out
from tests.api.isolated_stage import Stage

Recorder = Callable[[str, object], None]
UNLIKELY = {"show_confirmation"}
"""Nobody makes up a signed link."""


@pytest.mark.parametrize(
    "route", [route for route in ALL if route.method == "GET"], ids=lambda route: route.name
)
def test_a_reading_operation_does_what_the_document_says(
    schema: BaseSchema, route: Route, stage: Stage, record_property: Recorder
) -> None:
    seen = try_out(schema, stage, route)
    record_property("cases", dict(seen))
    assert seen.total() >= CASES
    assert seen[route.status] or route.name in UNLIKELY, "it was never well answered"
