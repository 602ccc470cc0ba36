"""Incidents: from the flip to DOWN until the flip back, a pause or a deletion.

An incident is derived from the set of its flips, so that flips may arrive twice and in any order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Final

from chalicelib.common.ids import derived_id
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import FlipKind

ENDS: Final = frozenset({FlipKind.CLOSED, FlipKind.CANCELLED})
_STARTS: Final = frozenset({FlipKind.OPENED, FlipKind.FLAPPING})


class Ending(StrEnum):
    """How an incident ended."""

    RECOVERED = "recovered"
    PAUSED = "paused"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who acknowledged an incident (the names of the user and the token), when, and a note."""

    by: str
    at: int
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident. Times are epoch seconds; `entries` are its flips, oldest first.

    `channel_ids` are the channels that are notified of the outage, None until that is decided.
    `tags` and `interval_s` are those of the target at its last flip.
    """

    owner: str
    target_id: str
    opened_at: int
    target_name: str
    target_url: str
    entries: Sequence[Entry]
    channel_ids: Sequence[str] | None = None
    tags: Sequence[str] = ()
    interval_s: int = 0
    acknowledgement: Acknowledgement | None = None

    @property
    def id(self) -> str:
        return incident_id(self.owner, self.target_id, self.opened_at)

    @property
    def key(self) -> str:
        return incident_key(self.target_id, self.opened_at)

    @property
    def opening(self) -> Entry | None:
        """The flip that opened the incident; None if a later one arrived first."""
        return next((entry for entry in self.entries if is_opening(entry)), None)

    @property
    def ending(self) -> Entry | None:
        """The flip that closed the incident; the first one if a pause and a recovery coincided."""
        return next((entry for entry in self.entries if entry.flip.kind in ENDS), None)

    @property
    def closed_at(self) -> int | None:
        return self.ending.flip.at if self.ending else None

    @property
    def ended_as(self) -> Ending | None:
        if self.ending is None:
            return None
        if self.ending.flip.kind is FlipKind.CLOSED:
            return Ending.RECOVERED
        return Ending.PAUSED if self.ending.name is None else Ending.DELETED

    @property
    def flapped(self) -> bool:
        return any(entry.flip.kind is FlipKind.FLAPPING for entry in self.entries)

    @property
    def cause(self) -> Reason | None:
        return self.opening.flip.reason if self.opening else None

    @property
    def first_failed_at(self) -> int:
        """When the outage began: its first failing check, which may be in maintenance.

        The flip comes later, by the failure threshold. Old incidents may not have the time.
        """
        failed = [entry.flip.first_failed_at for entry in self.entries]
        return min([self.opened_at, *(at for at in failed if at is not None)])

    def duration_s(self, now: int) -> int:
        """How long the outage lasted, or has lasted until now."""
        end = now if self.closed_at is None else self.closed_at
        return max(0, end - self.first_failed_at)

    @property
    def acknowledged_after_s(self) -> int | None:
        if self.acknowledgement is None:
            return None
        return max(0, self.acknowledgement.at - self.first_failed_at)


@dataclass(frozen=True, slots=True)
class MeanTimes:
    """Mean seconds until incidents were acknowledged and resolved; None without any."""

    mtta_s: int | None
    mttr_s: int | None


def mean_times(incidents: Iterable[Incident]) -> MeanTimes:
    """The mean times of incidents. Those ended by a pause or a deletion were not resolved."""
    listed = list(incidents)
    waits = [wait for one in listed if (wait := one.acknowledged_after_s) is not None]
    lengths = [one.duration_s(0) for one in listed if one.ended_as is Ending.RECOVERED]
    return MeanTimes(_mean(waits), _mean(lengths))


def incident_id(owner: str, target_id: str, opened_at: int) -> str:
    """The id of the incident of a target that opened at a time."""
    return derived_id(opened_at, "incident", owner, target_id)


def incident_key(target_id: str, opened_at: int) -> str:
    """The sort key of an incident: by opening time."""
    return f"{opened_at:010d}#{target_id}"


def is_opening(entry: Entry) -> bool:
    """Whether the flip opened its incident."""
    return entry.flip.kind in _STARTS and entry.flip.at == entry.flip.opened_at


def _mean(values: Sequence[int]) -> int | None:
    return round(fmean(values)) if values else None
