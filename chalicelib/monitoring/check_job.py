"""The message that requests the checks of a lane's targets at one tick."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from chalicelib.monitoring.check_spec import CheckSpec

_VERSION = 1
MAX_CLOCK_ERROR_S: Final = 100
"""The largest error of a sender's clock, below the 120 s by which a result may be in the future."""


class UnreadableJobError(Exception):
    """A message is not a check job, or has an unknown version."""


class MistimedJobError(Exception):
    """A job's tick was computed with a clock that was ahead, so it must not be checked.

    Its result would be stored at a wrong time, and taken for that of the real tick.
    """

    def __init__(self, error_s: float) -> None:
        super().__init__(f"the sender's clock was {error_s:.0f} s ahead")


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Targets of one lane due at the same tick (epoch seconds); carries no secrets.

    `place` is set for a check outside the schedule, of the one target in that place. `sent_at` is
    when it was sent, in epoch seconds on the clock that the tick was computed with. `late_s` is
    how late it was received; None if the worker has to judge by its own clock.
    """

    owner: str
    lane: int
    tick: int
    specs: Sequence[CheckSpec]
    place: int | None = None
    sent_at: int | None = None
    late_s: float | None = None

    def to_json(self) -> str:
        job: dict[str, Any] = {
            "v": _VERSION,
            "owner": self.owner,
            "lane": self.lane,
            "tick": self.tick,
            "specs": [[spec.target_id, spec.to_message()] for spec in self.specs],
        }
        if self.place is not None:
            job["place"] = self.place
        if self.sent_at is not None:
            job["sent_at"] = self.sent_at
        return json.dumps(job, separators=(",", ":"))

    @staticmethod
    def planned(
        owner: str, lane: int, tick: int, specs: Iterable[tuple[str, str]], sent_at: int
    ) -> str:
        """The message of a scheduled job; `specs` are target ids with their specs as JSON text.

        Equals `to_json`, without parsing thousands of specs that are only passed on.
        """
        head = json.dumps(
            {"v": _VERSION, "owner": owner, "lane": lane, "tick": tick}, separators=(",", ":")
        )
        pairs = ",".join(f'["{target_id}",{spec}]' for target_id, spec in specs)
        return f'{head[:-1]},"specs":[{pairs}],"sent_at":{sent_at}}}'

    @classmethod
    def from_json(cls, text: str) -> "CheckJob":
        """The job in a message; raises UnreadableJobError, which never quotes the message."""
        try:
            job = json.loads(text)
            if job["v"] != _VERSION:
                raise UnreadableJobError(f"job version {job['v']!r} is not supported")
            return cls(
                owner=job["owner"],
                lane=job["lane"],
                tick=job["tick"],
                specs=[CheckSpec.from_message(*pair) for pair in job["specs"]],
                place=job.get("place"),
                sent_at=job.get("sent_at"),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableJobError(f"not a check job ({type(error).__name__})") from None

    def is_stale(self, spec: CheckSpec, now: float) -> bool:
        """Whether this check is too late to be useful: the next one is already due."""
        max_age_s = spec.interval_s if self.place is None else max(spec.interval_s, 60)
        late_s = now - self.tick if self.late_s is None else self.late_s
        return late_s >= max_age_s

    def received(self, sent_at: float, received_at: float) -> "CheckJob":
        """The job with `late_s`; both times are epoch seconds on the clock of the queue.

        A job that was sent again, for example from the dead-letter queue, is as late as its tick is
        old. Raises MistimedJobError if the clock that the tick was computed with was ahead.
        """
        if self.sent_at is None:
            return self
        error_s = self.sent_at - sent_at
        if error_s > MAX_CLOCK_ERROR_S:
            raise MistimedJobError(error_s)
        planned_s = max(self.tick - self.sent_at, 0)
        was_resent = error_s < -MAX_CLOCK_ERROR_S
        late_s = received_at - (self.tick if was_resent else sent_at + planned_s)
        return replace(self, late_s=late_s)
