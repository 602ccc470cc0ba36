"""Route of the health check."""

from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import Model
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.health.service import Health, health

routes = Routes()


class QueueOut(Model):
    """`oldest_message_s` is for how long the oldest work is overdue.

    `round_trip_s` is how long the newest watchdog message took; null for queues without one.
    """

    oldest_message_s: int | None
    round_trip_s: int | None


class HealthOut(Model):
    """`silent` names the parts that have been silent for too long; it is empty while all is well.

    Besides, it contains `network`, `dead_letters` and `alarm_address` if these need attention, and
    `checks:REGION` for a region without checks.

    `tick_age_s` is the time since the schedule was last planned, `lateness_s` how much that
    exceeds the normal interval. `check_age_s` and `check_verdict` describe the newest check of the
    synthetic target. `queues` covers checks, alerts, alerts to chat services, and rollups. Values
    that are not known (yet) are null. `dead_letters` is the number of messages that were given up.
    """

    status: str
    silent: list[str]
    tick_age_s: int | None
    lateness_s: int | None
    check_age_s: int | None
    check_verdict: str | None
    queues: dict[str, QueueOut]
    dead_letters: int | None

    @classmethod
    def of(cls, found: Health) -> "HealthOut":
        return cls(
            status="late" if found.silent else "ok",
            silent=list(found.silent),
            tick_age_s=found.tick_age_s,
            lateness_s=found.lateness_s,
            check_age_s=found.check_age_s,
            check_verdict=found.verdict,
            dead_letters=found.dead_letters,
            queues={
                name: QueueOut(
                    oldest_message_s=queue.oldest_message_s, round_trip_s=queue.round_trip_s
                )
                for name, queue in found.queues.items()
            },
        )


@routes("GET", "/healthz", scope=None, response=HealthOut, other_responses={503: HealthOut})
def get_health(call: Call[None, NoQuery, AwsRuntime]) -> Response:
    """Return 200 while the schedule runs, checks are made and alerts are sent, else 503."""
    found = health(call.runtime)
    return Response(HealthOut.of(found), status=503 if found.silent else 200)
