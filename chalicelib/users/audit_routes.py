"""Operations on the record of changes."""

from chalicelib.access.audit import list_records
from chalicelib.access.authentication import Scope
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import Routes
from chalicelib.api.schemas import PageQuery
from chalicelib.users.audit_schemas import RecordOut, RecordsPage

routes = Routes()


@routes("GET", "/v1/audit", scope=Scope.READ, query=PageQuery, answer=RecordsPage, gives=["Link"])
def list_changes(call: Call[None, PageQuery]) -> Response:
    """List who changed what in the last 90 days, newest first."""
    cursors = call.cursors("audit")
    found, last = list_records(
        call.owner, call.runtime.now, cursors.read(call.query.cursor), call.query.limit
    )
    items = [RecordOut.of(record) for record in found]
    return call.page(RecordsPage, items, cursors.write(last))
