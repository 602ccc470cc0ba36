"""How often targets were down, for how long, and how long they ran in between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from chalicelib.alerting.incident import Ending, Incident
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.common.intervals import ExcludedTime, Span
from chalicelib.history.aggregation import QueryTooLargeError

MAX_INCIDENTS: Final = 20_000
"""So many are read for an answer: some three seconds of a vCPU."""


@dataclass(frozen=True, slots=True)
class Outages:
    """Incidents that opened in a range, and how many seconds those took that recovered.

    Those that lay within maintenance that does not count are none; of others its time is left out.
    """

    count: int
    repair_s: Sequence[int] = ()

    @property
    def mttr_s(self) -> int | None:
        """The mean time to repair, in seconds; None where nothing has been repaired."""
        return round(sum(self.repair_s) / len(self.repair_s)) if self.repair_s else None

    def mtbf_s(self, up_s: int) -> int | None:
        """The mean time between failures, in seconds of the time up; None without failures."""
        return round(up_s / self.count) if self.count else None


def outages(owner: str, excluded: Mapping[str, ExcludedTime], span: Span) -> Outages:
    """The incidents that opened in the range, of the targets whose ids are in `excluded`.

    Reads no older ones. Raises QueryTooLargeError where there are more than anybody waits for.
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
    """How many seconds of it count; None where all of it was maintenance."""
    duration_s = incident.duration_s(end)
    apart = excluded.within(incident.opened_at, incident.opened_at + duration_s)
    return None if apart and apart == duration_s else duration_s - apart


def _since(owner: str, target_ids: Sequence[str], start: int) -> Iterator[Incident]:
    """Incidents that opened at `start` or later, of one target by its index."""
    if len(target_ids) != 1:
        return Incidents(owner).newest_first(start=start) if target_ids else iter(())
    of_target = Incidents(owner).of_target(target_ids[0])
    return takewhile(lambda incident: incident.opened_at >= start, of_target)
