"""The owner's targets as metrics."""

from chalicelib.access.authentication import Scope
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.targets.prometheus import CONTENT_TYPE, exposition

routes = Routes()


@routes("GET", "/v1/metrics", scope=Scope.READ, media_types=["text/plain"])
def get_metrics(call: Call[None, NoQuery]) -> Response:
    """Show all targets in Prometheus' text format."""
    return Response(exposition(call.runtime, call.owner), headers={"Content-Type": CONTENT_TYPE})
