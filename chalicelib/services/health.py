"""Whether the schedule runs."""

from dataclasses import dataclass

from chalicelib.services.runtime import Runtime
from chalicelib.store.schedule import read_cursor
from chalicelib.store.tripwire import acting_as_system

_EVERY_S = 120
"""The schedule plans two minutes at a time, and is late when it has not done so since."""
_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Health:
    """`lateness_s`: how much more than two minutes ago the last plan was; None before the first."""

    is_well: bool
    lateness_s: int | None


def health(runtime: Runtime) -> Health:
    """How late the schedule is."""
    with acting_as_system():
        ticked_at = read_cursor().ticked_at
    if ticked_at is None:
        return Health(is_well=False, lateness_s=None)
    lateness = max(0, runtime.now - ticked_at - _EVERY_S)
    return Health(is_well=lateness <= _PATIENCE_S, lateness_s=lateness)
