"""How often targets were down, for how long, and how long they ran in between."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.folds import Span
from chalicelib.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Outages:
    """Incidents that opened in a range; None where they are not known.

    `repair_s` is how long those took that have ended.
    """

    count: int | None = None
    repair_s: Sequence[int] = ()

    @property
    def mttr_s(self) -> int | None:
        """The mean time to repair, in seconds; None where nothing has been repaired."""
        return round(sum(self.repair_s) / len(self.repair_s)) if self.repair_s else None

    def mtbf_s(self, up_s: int) -> int | None:
        """The mean time between failures, in seconds of the time up; None without failures."""
        return round(up_s / self.count) if self.count else None


def outages(_runtime: Runtime, _owner: str, _target_ids: Sequence[str], _span: Span) -> Outages:
    """The incidents of these targets that opened in the range.

    Incidents are not stored yet, so they are not known: null, not zero.
    """
    return Outages()
