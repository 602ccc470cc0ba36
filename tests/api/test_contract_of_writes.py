"""Responses to writing operations match the OpenAPI document; see test_contract.py.

Chains of calls along the links of the document create, read, change and delete resources.
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
from tests.api.contract import CASES, SETTINGS, check_response, document, exercise, plain
from tests.api.isolated_stage import Stage

pytestmark = pytest.mark.shared_stage

Recorder = Callable[[str, object], None]
CHAINS, STEPS = 40, 8
UNLIKELY = {"confirm_address", "mail_confirmation"}
"""Random input never contains a signed link, and the existing channel is not an email channel."""
STARTS = {"pause_target", "resume_target"}
"""schemathesis would begin nearly all chains with these."""
BY_NAME = {route.name: route for route in ALL}


@pytest.mark.parametrize(
    "route", [route for route in ALL if route.method != "GET"], ids=lambda route: route.name
)
def test_writing_operation_matches_document(
    schema: BaseSchema, route: Route, stage: Stage, record_property: Recorder
) -> None:
    seen = exercise(schema, stage, route)
    record_property("cases", dict(seen))
    assert seen.total() >= CASES
    assert seen[route.status] or route.name in UNLIKELY, "no call succeeded"


@pytest.mark.parametrize("creation", LINKS)
def test_created_resource_can_be_read_changed_and_deleted(
    stage: Stage, creation: str, record_property: Recorder
) -> None:
    """Follow the links of the document."""
    schema = document(stage)

    @schema.hook
    def map_body(_context: Any, body: Any) -> Any:
        return plain(body)

    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    linked = [name for name in LINKS[creation] if name not in STARTS]
    machine: Any = schema.include(operation_id=[creation, *linked]).as_state_machine()
    seen: Counter[str] = Counter()

    class Chains(machine):  # type: ignore[misc]
        def setup(self) -> None:
            # The next calls of a chain depend on the ids it received, so these must be repeatable.
            stage.reset()

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Token {stage.alice.token}"}}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            name = case.operation.definition.raw["operationId"]
            seen[f"{name} {response.status_code}"] += 1
            check_response(case, BY_NAME[name], response)

    ends = [name for name in linked if name.startswith(("get_", "delete_", "revoke_"))]
    wanted = {f"{name} {BY_NAME[name].status}" for name in (creation, *ends)}
    for chains in (CHAINS, 5 * CHAINS):  # a few operations need more attempts until one succeeds
        Chains.run(settings=settings(max_examples=chains, stateful_step_count=STEPS, **SETTINGS))
        if wanted <= set(seen):
            break
    record_property("calls", dict(seen))
    assert wanted <= set(seen), f"no chain reached {sorted(wanted - set(seen))}"
