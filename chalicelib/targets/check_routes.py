"""Operations on the history of targets."""

from chalicelib.access.authentication import Scope
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import Routes
from chalicelib.common.errors import BadRequestError, Fault
from chalicelib.monitoring.check_history import Range, page_of_checks
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.targets.check_schemas import CheckOut, ChecksPage, ChecksQuery

routes = Routes()


@routes(
    "GET",
    "/v1/targets/{target_id}/checks",
    scope=Scope.READ,
    query=ChecksQuery,
    response=ChecksPage,
    response_headers=["Link"],
)
def list_checks(call: Call[None, ChecksQuery]) -> Response:
    """List the checks of a target, newest first."""
    query, cursors = call.query, call.cursors("checks")
    target = Targets(call.owner).get(call.id("target_id", "target"))
    checks, last = page_of_checks(
        call.runtime,
        target,
        _range(call),
        None if query.verdict is None else Verdict(query.verdict),
        cursors.read(query.cursor),
        query.limit,
    )
    items = [CheckOut.of(check) for check in checks]
    return call.page(ChecksPage, items, cursors.write(last))


def _range(call: Call[None, ChecksQuery]) -> Range:
    start = call.query.from_ or 0
    end = call.runtime.now + 1 if call.query.to is None else call.query.to
    if start > end:
        fault = Fault(("query", "from"), "must not be later than 'to', or than now")
        raise BadRequestError("the range ends before it begins", (fault,))
    return Range(start, end)
