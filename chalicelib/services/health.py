"""Whether the schedule runs, and alerts get through."""

from dataclasses import dataclass

from chalicelib.services.runtime import Runtime
from chalicelib.services.watchdog import WATCHDOG_S
from chalicelib.store.schedule import read_pulse
from chalicelib.store.tripwire import acting_as_system

_EVERY_S = 120
"""The schedule plans two minutes at a time, and is late when it has not done so since."""
_PATIENCE_S = 60
_ALERTS_PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Health:
    """`lateness_s`: how much more than two minutes ago the last plan was; None before the first.

    `alerts_lateness_s`: how much later than each ten minutes the newest watchdog came through the
    alerts queue, so how long its messages wait; `round_trip_s` is how long that one took.
    """

    is_well: bool
    lateness_s: int | None
    alerts_lateness_s: int | None = None
    round_trip_s: int | None = None


def health(runtime: Runtime) -> Health:
    """How late the schedule and the alerts are."""
    with acting_as_system():
        cursor, trip = read_pulse()
    if cursor.ticked_at is None:
        return Health(is_well=False, lateness_s=None)
    lateness = max(0, runtime.now - cursor.ticked_at - _EVERY_S)
    if trip is None:
        return Health(is_well=lateness <= _PATIENCE_S, lateness_s=lateness)
    waited = max(0, runtime.now - trip.sent_at - WATCHDOG_S)
    return Health(
        is_well=lateness <= _PATIENCE_S and waited <= _ALERTS_PATIENCE_S,
        lateness_s=lateness,
        alerts_lateness_s=waited,
        round_trip_s=max(0, trip.arrived_at - trip.sent_at),
    )
