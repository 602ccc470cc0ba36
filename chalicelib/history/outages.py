"""Number of outages, mean time to repair and mean time between failures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from chalicelib.alerting.incident import Ending, Incident
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.common.intervals import ExcludedTime, Span
from chalicelib.history.aggregation import QueryTooLargeError

MAX_INCIDENTS: Final = 20_000
"""The most incidents one response reads, which takes about three seconds of a vCPU."""


@dataclass(frozen=True, slots=True)
class Outages:
    """Number of incidents that opened in a range, and the durations of those that recovered.

    Excluded maintenance is subtracted, and incidents entirely within it are not counted.
    """

    count: int
    repair_s: Sequence[int] = ()

    @property
    def mttr_s(self) -> int | None:
        """The mean time to repair, in seconds; None if nothing recovered."""
        return round(sum(self.repair_s) / len(self.repair_s)) if self.repair_s else None

    def mtbf_s(self, up_s: int) -> int | None:
        """The mean time between failures, in seconds of uptime; None without failures."""
        return round(up_s / self.count) if self.count else None


def outages(owner: str, excluded: Mapping[str, ExcludedTime], span: Span) -> Outages:
    """Return the outages that began in `span`, of the targets whose ids are in `excluded`.

    Older incidents are not read. Raises QueryTooLargeError above MAX_INCIDENTS.
    """
    start, end = span
    since = list(islice(_since(owner, list(excluded), start), MAX_INCIDENTS + 1))
    if len(since) > MAX_INCIDENTS:
        raise QueryTooLargeError
    found = [
        (incident, _counted_s(incident, excluded[incident.target_id], end))
        for incident in since
        if incident.target_id in excluded and incident.opened_at < end
    ]
    counted = [(incident, counted_s) for incident, counted_s in found if counted_s is not None]
    recovered = [counted_s for one, counted_s in counted if one.ended_as is Ending.RECOVERED]
    return Outages(len(counted), recovered)


def _counted_s(incident: Incident, excluded: ExcludedTime, end: int) -> int | None:
    """The incident's seconds outside excluded maintenance; None if all of it was excluded."""
    duration_s = incident.duration_s(end)
    start = incident.first_failed_at
    apart = excluded.within(start, start + duration_s)
    return None if apart and apart == duration_s else duration_s - apart


def _since(owner: str, target_ids: Sequence[str], start: int) -> Iterator[Incident]:
    """Incidents that opened at `start` or later; a single target's by their index."""
    if len(target_ids) != 1:
        return Incidents(owner).newest_first(start=start) if target_ids else iter(())
    of_target = Incidents(owner).of_target(target_ids[0])
    return takewhile(lambda incident: incident.opened_at >= start, of_target)
