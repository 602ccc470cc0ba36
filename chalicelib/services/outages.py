"""How often targets were down, for how long, and how long they ran in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from chalicelib.domain.folds import Span
from chalicelib.domain.incidents import Ending, Incident
from chalicelib.store.incidents import Incidents


@dataclass(frozen=True, slots=True)
class Outages:
    """Incidents that opened in a range, and how many seconds those took that recovered."""

    count: int
    repair_s: Sequence[int] = ()

    @property
    def mttr_s(self) -> int | None:
        """The mean time to repair, in seconds; None where nothing has been repaired."""
        return round(sum(self.repair_s) / len(self.repair_s)) if self.repair_s else None

    def mtbf_s(self, up_s: int) -> int | None:
        """The mean time between failures, in seconds of the time up; None without failures."""
        return round(up_s / self.count) if self.count else None


def outages(owner: str, target_ids: Sequence[str], span: Span) -> Outages:
    """The incidents of these targets that opened in the range; reads no older ones."""
    start, end = span
    wanted = set(target_ids)
    found = [
        incident
        for incident in _since(owner, target_ids, start)
        if incident.target_id in wanted and incident.opened_at < end
    ]
    recovered = [one for one in found if one.ended_as is Ending.RECOVERED]
    return Outages(len(found), [one.duration_s(end) for one in recovered])


def _since(owner: str, target_ids: Sequence[str], start: int) -> Iterator[Incident]:
    """Incidents that opened at `start` or later, of one target by its index."""
    if len(target_ids) != 1:
        return Incidents(owner).newest_first(start=start) if target_ids else iter(())
    of_target = Incidents(owner).of_target(target_ids[0])
    return takewhile(lambda incident: incident.opened_at >= start, of_target)
