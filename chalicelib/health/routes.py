"""Whether Monitum itself is well."""

from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import Model
from chalicelib.health.service import Health, health

routes = Routes()


class QueueOut(Model):
    """`oldest_message_s` is how long work has waited that should be done by now.

    `round_trip_s` is how long the watchdog's newest message took; null where it does not go.
    """

    oldest_message_s: int | None
    round_trip_s: int | None


class HealthOut(Model):
    """`silent` names what has not been heard of for too long; it is empty while all is well.

    `tick_age_s` is how long ago the schedule last planned, `lateness_s` how much too long ago;
    `check_age_s` and `check_verdict` are of the newest check of the stage's own target. `queues`
    are those of checks, of alerts, of alerts to chat services, and of rollups. Null is what is not
    known (yet).
    """

    status: str
    silent: list[str]
    tick_age_s: int | None
    lateness_s: int | None
    check_age_s: int | None
    check_verdict: str | None
    queues: dict[str, QueueOut]

    @classmethod
    def of(cls, found: Health) -> "HealthOut":
        """What is shown of it."""
        return cls(
            status="ok" if found.is_well else "late",
            silent=list(found.silent),
            tick_age_s=found.tick_age_s,
            lateness_s=found.lateness_s,
            check_age_s=found.check_age_s,
            check_verdict=found.verdict,
            queues={
                name: QueueOut(oldest_message_s=one.oldest_message_s, round_trip_s=one.round_trip_s)
                for name, one in found.ways.items()
            },
        )


@routes("GET", "/healthz", scope=None, answer=HealthOut, also={503: HealthOut})
def get_health(call: Call[None, NoQuery]) -> Response:
    """Answer 200 while the schedule runs, checks are made and alerts get through, else 503."""
    found = health(call.runtime)
    return Response(HealthOut.of(found), status=200 if found.is_well else 503)
