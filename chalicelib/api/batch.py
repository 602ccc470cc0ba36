"""Creating many targets at once."""

import logging
from typing import Any

from chalicelib.api.calls import Answer, Call
from chalicelib.api.idempotency import asked
from chalicelib.api.problems import problem, status_of
from chalicelib.api.reading import validate_body
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas.common import Problem
from chalicelib.api.schemas.targets import BatchItem, BatchOut, TargetIn, TargetOut, TargetsIn
from chalicelib.domain.errors import KeyReusedError, MonitumError, NotFoundError, UnavailableError
from chalicelib.domain.ids import derived_id, id_time
from chalicelib.domain.targets import Target
from chalicelib.services import targets
from chalicelib.services.callers import Scope
from chalicelib.services.once import Turn, finish, take_turn
from chalicelib.services.presence import present
from chalicelib.services.seats import Seats
from chalicelib.store.targets import Targets

routes = Routes()
_LOG = logging.getLogger(__name__)


@routes(
    "POST",
    "/v1/targets/batch",
    scope=Scope.WRITE,
    body=TargetsIn,
    answer=BatchOut,
    takes=["Idempotency-Key"],
)
def create_targets(call: Call[TargetsIn, NoQuery]) -> Answer:
    """Create up to a hundred targets; one that cannot be does not hinder the others."""
    seats, wanted = Seats(call.owner), asked(call, "create_targets")
    turn = take_turn(call.runtime, wanted) if wanted else None
    made: list[Target | MonitumError] = [
        _create(call, item, seats, turn, number) for number, item in enumerate(call.body.items)
    ]
    if wanted:
        finish(wanted)
    fine = [target for target in made if isinstance(target, Target)]
    states = present(call.runtime, call.owner, fine)
    return Answer(
        BatchOut(
            items=[
                BatchItem(status=status_of(item), problem=Problem(**problem(item, call.request_id)))
                if isinstance(item, MonitumError)
                else BatchItem(status=201, target=TargetOut.of(item, states[item.id]))
                for item in made
            ]
        )
    )


def _create(
    call: Call[TargetsIn, NoQuery], item: object, seats: Seats, turn: Turn | None, number: int
) -> Target | MonitumError:
    try:
        draft = validate_body(TargetIn, item).draft()
        target_id = derived_id(id_time(turn.made), turn.made, str(number)) if turn else None
        if turn and target_id and turn.is_done:
            return _made_before(call, target_id)
        quota = call.quota("targets")
        return targets.create(call.runtime, call.owner, draft, target_id, seats, quota)
    except MonitumError as error:
        return error
    except Exception:  # noqa: BLE001 - what was made before it must be answered
        _LOG.exception("an item of a batch failed")
        return UnavailableError("something went wrong on our side; try this item again")


def _made_before(call: Call[Any, Any], target_id: str) -> Target | MonitumError:
    try:
        return Targets(call.owner).get(target_id)
    except NotFoundError:
        text = "the first request with this Idempotency-Key did not make it, or it is deleted since"
        return KeyReusedError(text)
