"""The story that benchmarks.faults lives, and what has come of it in the end.

Targets fail together and alone, recover, are paused, deleted and acknowledged; they are told of by
webhook, by mail and in a chat, at once, after a delay and again and again.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.fault_parts import START
from benchmarks.fault_stage import Shuffle, Stage
from chalicelib.alerting.channel import ChannelDraft, ChannelKind
from chalicelib.alerting.channels import service as channels_service
from chalicelib.alerting.incident import Acknowledgement
from chalicelib.alerting.incidents import service as incidents_service
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import NotFoundError
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import Results
from chalicelib.targets import service as targets_service
from chalicelib.targets.validation import Draft

Outcome = dict[str, Any]
_HOOK, _WEBHOOK = "https://hooks.example", ChannelKind.WEBHOOK
_CHANNELS = (
    ChannelDraft(name="all", kind=_WEBHOOK, url=f"{_HOOK}/all"),
    ChannelDraft(name="slow", kind=_WEBHOOK, url=f"{_HOOK}/slow", tags=["slow"], delay_s=150),
    ChannelDraft(name="again", kind=_WEBHOOK, url=f"{_HOOK}/again", tags=["x"], repeat_s=200),
    ChannelDraft(name="mail", kind=ChannelKind.EMAIL, address="ops@shop.example", tags=["mail"]),
    ChannelDraft(name="chat", kind=ChannelKind.APPRISE, url="ntfys://ntfy.example/x", tags=["ch"]),
)
# name: (down from, until, tags, channel named)
_TARGETS: dict[str, tuple[int, int, list[str], str | None]] = {
    **{f"mass {number}": (120, 230, [], None) for number in range(5)},
    "mailed": (120, 230, ["mail", "ch"], None),
    "short": (60, 120, ["slow"], None),
    "long": (60, 350, ["slow"], None),
    "acknowledged": (60, 900, [], "again"),
    "paused": (120, 900, [], None),
    "deleted": (120, 900, [], None),
    "well": (0, 0, [], None),
}
_TICKS, _LAST_S, _ACKNOWLEDGED_S = range(0, 480, 60), 800, 400


@dataclass(frozen=True, slots=True)
class Known:
    """The undisturbed life: what everything was like once a minute, and what came of it."""

    marks: dict[int, str]
    outcome: Outcome


class IncidentDetails:
    """What happens on a stage, ten seconds at a time."""

    def __init__(self, found: Stage) -> None:
        self.stage = found
        self.targets: dict[str, Any] = {}
        self.marks: dict[int, str] = {}
        self.known: Known | None = None
        self._left: list[tuple[int, Callable[[], object]]] = []

    def furnish(self) -> None:
        """Give the owner channels and targets."""
        with acting_for(self.stage.owner):
            named = {draft.name: self._channel(draft) for draft in _CHANNELS}
            for name, (start, end, tags, channel) in _TARGETS.items():
                ids = [named[channel]] if channel else []
                made = targets_service.create(
                    self.stage.runtime, self.stage.owner, _draft(name, tags, ids)
                )
                self.targets[name] = made
                self.stage.checker.script[made.id] = [(start, end)]

    def _channel(self, draft: ChannelDraft) -> str:
        made = channels_service.create(self.stage.runtime, self.stage.owner, draft)
        if made.kind is ChannelKind.EMAIL:
            Channels(made.owner).change(made, replace(made, confirmed_at=START))
        return made.id

    def live(self, shuffle: Shuffle = list) -> Outcome:
        """From beginning to end, and what came of it."""
        return self.outcome() if self.go(shuffle) else self.known_outcome

    def go(self, shuffle: Shuffle = list) -> bool:
        """To the end, True, or to where it is known to go on as the undisturbed life.

        What fails is tried again, as its callers do.
        """
        self._left = [
            *((at, self.stage.tick) for at in _TICKS),
            *((at, lambda act=act: self._act(act)) for at, act in self._acts()),
        ]
        for second in range(0, _LAST_S, 10):
            self.stage.clock.time = START + second
            due = [act for at, act in self._left if at <= second]
            again = [(second + 10, act) for act in due if not self.stage.survive(act)]
            self._left = [one for one in self._left if one[0] > second] + again
            self.stage.pump(shuffle)
            if second % 60 == 50 and self._is_as_known(second):
                return False
        return True

    @property
    def known_outcome(self) -> Outcome:
        assert self.known
        return self.known.outcome

    def _is_as_known(self, second: int) -> bool:
        """Whether this life, after a death, has come to where the undisturbed one was.

        From there on it would be the same: nothing is remembered but what is compared here.
        """
        self.marks[second] = self.stage.mark()
        has_died = self.known and self.stage.has_died
        return bool(has_died and self.known and self.marks[second] == self.known.marks[second])

    def _acts(self) -> list[tuple[int, Callable[[], None]]]:
        return [
            (210, self._pause),
            (260, self._delete),
            (_ACKNOWLEDGED_S, self._acknowledge),
        ]

    def _act(self, act: Callable[[], None]) -> None:
        """What the owner does through the API, who tries again at once when it fails."""
        with acting_for(self.stage.owner):
            while not self.stage.survive(act):
                pass

    def _pause(self) -> None:
        paused = self.targets["paused"].id
        targets_service.switch(self.stage.runtime, self.stage.owner, paused, enabled=False)

    def _delete(self) -> None:
        deleted = self.targets["deleted"].id
        with suppress(NotFoundError):
            targets_service.remove(self.stage.runtime, self.stage.owner, deleted, lambda _: None)

    def _acknowledge(self) -> None:
        target_id = self.targets["acknowledged"].id
        (incident,) = Incidents(self.stage.owner).of_target(target_id)
        given = Acknowledgement("somebody", START + _ACKNOWLEDGED_S)
        incidents_service.acknowledge(self.stage.owner, incident.id, given)

    def outcome(self) -> Outcome:
        """States, incidents, results and alerts, in the words of the story."""
        names = {made.id: name for name, made in self.targets.items()}
        got, owner = self.stage.receiver.got, self.stage.owner
        with acting_for(owner):
            lanes = Lanes(owner).all()
            states = {
                names[seat.target_id]: seat.state.to_list()
                for lane in lanes
                for seat in lane.places.values()
            }
            kept = sorted(
                (names[one.target_id], one.opened_at, one.closed_at, one.ended_as, one.cause)
                for one in Incidents(owner).newest_first()
            )
            results = self._results()
        return {
            "states": states,
            "outboxes": [lane.outbox for lane in lanes if lane.outbox],
            "incidents": kept,
            "results": results,
            # A life in which something came late may say so.
            "alerts": sorted({(where, what.removesuffix(_LATE)) for where, what, _ in got}),
            "doubles": doubles(got),
            "dead": len(self.stage.queues["alerts_dead"].waiting),
        }

    def _results(self) -> list[Any]:
        stored = Results(self.stage.owner).newest_first(0, START, START + _LAST_S, now=START)
        return sorted(
            (found.tick, place, result.verdict)
            for found in stored
            for place, result in found.by_place.items()
        )


_LATE = " (late alert: already over)"


def _draft(name: str, tags: list[str], channel_ids: list[str]) -> Draft:
    return Draft(
        name=name,
        kind="http",
        interval_s=60,
        timeout_s=10,
        failure_threshold=1,
        recovery_threshold=1,
        config={"url": f"https://{name.replace(' ', '-')}.example/"},
        expect={},
        tags=tags,
        channel_ids=channel_ids,
    )


def doubles(got: list[tuple[str, str, str | None]]) -> list[tuple[str, str]]:
    """What one receiver was told under more than one id: it could not tell that it is the same."""
    told = {(where, what, identifier) for where, what, identifier in got}
    counted = Counter((where, what) for where, what, _ in told)
    return sorted(one for one, ids in counted.items() if ids > 1)


def difference(wanted: Outcome, got: Outcome) -> str:
    """Which parts of two outcomes differ, and how; empty if none does."""
    parts = [name for name in wanted if wanted[name] != got.get(name)]
    return "; ".join(f"{name}: {wanted[name]} became {got.get(name)}" for name in parts)
