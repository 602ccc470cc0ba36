"""Suppression of alerts about targets in maintenance."""

from collections.abc import Sequence
from functools import cached_property

from chalicelib.alerting.delivery import Hold, hold_for_maintenance, settling_s
from chalicelib.alerting.incident import Incident
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.maintenance.occurrences import muted_until
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.window import Window
from chalicelib.monitoring.state import FlipKind

_NOTICES_S = 7 * 86_400


class Suppression:
    """The maintenance of one owner at one time; the windows are read on first use."""

    def __init__(self, owner: str, now: int) -> None:
        self._owner, self._now = owner, now

    @cached_property
    def _windows(self) -> Sequence[Window]:
        return Windows(self._owner).all()

    def hold(self, incident: Incident) -> Hold | None:
        """How long to hold the alerts of an incident; None if its target is not muted."""
        until = self._muted_until(incident, self._now)
        return None if until is None else hold_for_maintenance(until, incident.interval_s)

    def is_within(self, incident: Incident, held_until: int) -> bool:
        """Whether the incident ended during maintenance, as far as the checks can show."""
        closed_at = incident.closed_at
        if closed_at is None:
            return False
        settled = held_until + settling_s(incident.interval_s) if held_until else 0
        return closed_at < settled or self._muted_until(incident, closed_at) is not None

    def is_outdated(self, notice: Incident) -> bool:
        """Whether a held notice, about a target that was not down, is no longer news."""
        flips = [entry.flip for entry in notice.entries]
        at = flips[-1].at
        others = Incidents(self._owner).notices(notice.target_id, at - _NOTICES_S, self._now)
        if any(entry.flip.at > at for entry in others):
            return True
        before = [one.flip for one in others if one.flip.at < at]
        # An `up` is only news if the problem that it ends was reported, that is, was not muted.
        is_end = flips[-1].kind is FlipKind.RECOVERED
        return is_end and bool(before) and self._muted_until(notice, before[-1].at) is not None

    def _muted_until(self, incident: Incident, at: int) -> int | None:
        return muted_until(self._windows, incident.target_id, incident.tags, at)
