"""Every operation that changes things does what the OpenAPI document says; see test_contract.py.

And chains of calls along the links of the document, from what creates to what reads, changes and
deletes.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema

from chalicelib.api.routing import Route
from chalicelib.routes import ALL
from ops.openapi.texts import LINKS
from tests.api.contract import CASES, SETTINGS, document, judge, plain, try_out
from tests.api.isolated_stage import Stage

pytestmark = pytest.mark.shared_stage

Recorder = Callable[[str, object], None]
CHAINS, STEPS = 40, 8
UNLIKELY = {"confirm_address", "mail_confirmation"}
"""Nobody makes up a signed link, and what there is to begin with is no channel of mail."""
BEGINNINGS = {"pause_target", "resume_target"}
"""schemathesis takes them for what a chain may begin with, and then hardly anything else."""
BY_NAME = {route.name: route for route in ALL}


@pytest.mark.parametrize(
    "route", [route for route in ALL if route.method != "GET"], ids=lambda route: route.name
)
def test_a_changing_operation_does_what_the_document_says(
    schema: BaseSchema, route: Route, stage: Stage, record_property: Recorder
) -> None:
    seen = try_out(schema, stage, route)
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
