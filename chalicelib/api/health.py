"""Whether Monitum itself is well."""

from pydantic import BaseModel

from chalicelib.api.calls import Answer, Call
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.services.health import health

routes = Routes()


class HealthOut(BaseModel):
    """`lateness_s` is how long ago the schedule should have run and did not; null before it ran."""

    status: str
    lateness_s: int | None


@routes("GET", "/healthz", scope=None, answer=HealthOut)
def get_health(call: Call[None, NoQuery]) -> Answer:
    """Answer 200 while the schedule runs, 503 when it has stopped."""
    found = health(call.runtime)
    body = HealthOut(status="ok" if found.is_well else "late", lateness_s=found.lateness_s)
    return Answer(body, status=200 if found.is_well else 503)
