"""Route that creates many targets at once."""

import logging
from collections.abc import Mapping
from typing import Any

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.parsing import validate_body
from chalicelib.api.problems import problem, status_of
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import Problem
from chalicelib.common.errors import MonitumError, UnavailableError
from chalicelib.common.ids import derived_id, id_time
from chalicelib.monitoring.lane_allocator import LaneAllocator
from chalicelib.monitoring.target import Target
from chalicelib.targets import service
from chalicelib.targets.current_status import CurrentStatus, current_statuses
from chalicelib.targets.runtime import TargetsRuntime
from chalicelib.targets.schemas import BatchItem, BatchOut, TargetIn, TargetOut, TargetsIn

routes = Routes()
_LOG = logging.getLogger(__name__)


@routes(
    "POST",
    "/v1/targets/batch",
    scope=Scope.WRITE,
    body=TargetsIn,
    response=BatchOut,
    request_headers=["Idempotency-Key"],
)
def create_targets(call: Call[TargetsIn, NoQuery, TargetsRuntime]) -> Response:
    """Create up to a hundred targets; invalid items do not affect the others."""
    allocator = LaneAllocator(call.owner)

    def create(claim: ClaimedKey | None) -> list[Target | MonitumError]:
        # Ids are derived from the claim, so targets of an interrupted request are found again.
        return [
            _create(call, item, allocator, claim, index)
            for index, item in enumerate(call.body.items)
        ]

    def show(outcomes: list[Target | MonitumError]) -> Response:
        targets = [outcome for outcome in outcomes if isinstance(outcome, Target)]
        states = current_statuses(call.runtime, call.owner, targets)
        return Response(BatchOut(items=[_item(call, outcome, states) for outcome in outcomes]))

    return create_idempotently(call, "create_targets", create, show)


def _create(
    call: Call[TargetsIn, NoQuery, TargetsRuntime],
    item: object,
    allocator: LaneAllocator,
    claim: ClaimedKey | None,
    index: int,
) -> Target | MonitumError:
    try:
        draft = validate_body(TargetIn, item).draft()
        target_id = None
        if claim:
            target_id = derived_id(id_time(claim.resource_id), claim.resource_id, str(index))
        quota = call.quota("targets")
        return service.create(call.runtime, call.owner, draft, target_id, allocator, quota)
    except MonitumError as error:
        return error
    except Exception:  # noqa: BLE001 - the response must list the targets created before it
        _LOG.exception("an item of a batch failed")
        return UnavailableError("an internal error occurred; try this item again")


def _item(
    call: Call[Any, Any, TargetsRuntime],
    outcome: Target | MonitumError,
    states: Mapping[str, CurrentStatus],
) -> BatchItem:
    if isinstance(outcome, MonitumError):
        problem_out = Problem(**problem(outcome, call.request_id))
        return BatchItem(status=status_of(outcome), problem=problem_out)
    return BatchItem(status=201, target=TargetOut.of(outcome, states[outcome.id]))
