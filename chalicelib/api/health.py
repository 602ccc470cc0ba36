"""Whether Monitum itself is well."""

from pydantic import BaseModel

from chalicelib.api.calls import Answer, Call
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.services.health import health

routes = Routes()


class HealthOut(BaseModel):
    """`lateness_s` is how long ago the schedule should have run and did not; null before it ran.

    `alerts_lateness_s` says so of the message that goes the way of the alerts every minute, and
    `round_trip_s` how long the newest one took.
    """

    status: str
    lateness_s: int | None
    alerts_lateness_s: int | None
    round_trip_s: int | None


@routes("GET", "/healthz", scope=None, answer=HealthOut, also={503: HealthOut})
def get_health(call: Call[None, NoQuery]) -> Answer:
    """Answer 200 while the schedule runs and alerts get through, 503 when either has stopped."""
    found = health(call.runtime)
    body = HealthOut(
        status="ok" if found.is_well else "late",
        lateness_s=found.lateness_s,
        alerts_lateness_s=found.alerts_lateness_s,
        round_trip_s=found.round_trip_s,
    )
    return Answer(body, status=200 if found.is_well else 503)
