"""Creating many targets at once."""

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
    """Create up to a hundred targets; one that cannot be does not hinder the others."""
    allocator = LaneAllocator(call.owner)

    def make(turn: ClaimedKey | None) -> list[Target | MonitumError]:
        # What an earlier request made before it died is found under its id.
        return [_create(call, item, allocator, turn, at) for at, item in enumerate(call.body.items)]

    def show(made: list[Target | MonitumError]) -> Response:
        fine = [target for target in made if isinstance(target, Target)]
        states = current_statuses(call.runtime, call.owner, fine)
        return Response(BatchOut(items=[_item(call, item, states) for item in made]))

    return create_idempotently(call, "create_targets", make, show)


def _create(
    call: Call[TargetsIn, NoQuery, TargetsRuntime],
    item: object,
    allocator: LaneAllocator,
    turn: ClaimedKey | None,
    at: int,
) -> Target | MonitumError:
    try:
        draft = validate_body(TargetIn, item).draft()
        target_id = (
            derived_id(id_time(turn.resource_id), turn.resource_id, str(at)) if turn else None
        )
        quota = call.quota("targets")
        return service.create(call.runtime, call.owner, draft, target_id, allocator, quota)
    except MonitumError as error:
        return error
    except Exception:  # noqa: BLE001 - what was made before it must be answered
        _LOG.exception("an item of a batch failed")
        return UnavailableError("something went wrong on our side; try this item again")


def _item(
    call: Call[Any, Any, TargetsRuntime],
    item: Target | MonitumError,
    states: Mapping[str, CurrentStatus],
) -> BatchItem:
    if isinstance(item, MonitumError):
        return BatchItem(status=status_of(item), problem=Problem(**problem(item, call.request_id)))
    return BatchItem(status=201, target=TargetOut.of(item, states[item.id]))
