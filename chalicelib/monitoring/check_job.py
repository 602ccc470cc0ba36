"""The message that requests the checks of a lane's targets at one tick."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.monitoring.check_spec import CheckSpec

_VERSION = 1


class UnreadableJobError(Exception):
    """A message is not a check job, or has an unknown version."""


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Targets of one lane due at the same tick (epoch seconds); carries no secrets.

    `place` is set for a check outside the schedule, of the one target in that place.
    """

    owner: str
    lane: int
    tick: int
    specs: Sequence[CheckSpec]
    place: int | None = None

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
        return json.dumps(job, separators=(",", ":"))

    @staticmethod
    def planned(owner: str, lane: int, tick: int, specs: Iterable[tuple[str, str]]) -> str:
        """The message of a scheduled job; `specs` are target ids with their specs as JSON text.

        Equals `to_json`, without parsing thousands of specs that are only passed on.
        """
        head = json.dumps(
            {"v": _VERSION, "owner": owner, "lane": lane, "tick": tick}, separators=(",", ":")
        )
        pairs = ",".join(f'["{target_id}",{spec}]' for target_id, spec in specs)
        return f'{head[:-1]},"specs":[{pairs}]}}'

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
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableJobError(f"not a check job ({type(error).__name__})") from None

    def is_stale(self, spec: CheckSpec, now: float) -> bool:
        """Whether this check is too late to be useful: the next one is already due."""
        max_age_s = spec.interval_s if self.place is None else max(spec.interval_s, 60)
        return now - self.tick >= max_age_s
