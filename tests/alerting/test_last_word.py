"""Random lives of several targets: what a channel was last told of each is never wrong for long.

The results are random; the state machine, the planner and the sender are those of production, on a
stage in memory. Messages that fail are received again, as from SQS.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import Entry, FlipsJob
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.state_machine import (
    Flip,
    Observation,
    Policy,
    State,
    Status,
    observe,
    pause,
    resume,
)
from tests.support.alerts import HOOK, channel
from tests.support.stages import memory_stage
from tests.support.windows import window
from tests.support.world import World

TEN_MINUTES_S = 600
REDELIVERY_S = 40
LATENESS_S = 100
"""How long after a maintenance, or a repaired receiver, alerts may take in addition."""
END_S = 4_000
WORDS = {"DOWN": "down", "UP": "up", "DEGRADED": "up", "PAUSED": "up", "FLAPPING": "flapping"}
"""What a status says of an outage."""
Life = list[tuple[Verdict, int]]


@dataclass(frozen=True)
class Scenario:
    """Verdicts of each target, each for some seconds, and what else happens; times in seconds."""

    policy: Policy
    lives: list[Life]
    repeat_s: int | None
    maintenance: tuple[int, int] | None
    pauses: list[tuple[int, int, int]]

    def verdict(self, number: int, elapsed_s: float) -> Verdict:
        for verdict, seconds in self.lives[number]:
            elapsed_s -= seconds
            if elapsed_s < 0:
                return verdict
        return Verdict.UP

    @property
    def seconds(self) -> int:
        return max(sum(seconds for _, seconds in life) for life in self.lives)

    def is_muted(self, number: int, elapsed_s: float) -> bool:
        if self.maintenance is None or number:
            return False
        start, length = self.maintenance
        return start <= elapsed_s <= start + length + self.policy.interval_s + LATENESS_S


seconds = st.sampled_from([10, 20, 30, 60, 90, 120, 240, 330, 420, 900, 3_000])
alternating = st.lists(seconds, min_size=1, max_size=16).map(
    lambda listed: [
        (Verdict.UP if number % 2 else Verdict.DOWN, each) for number, each in enumerate(listed)
    ]
)
mixed = st.lists(
    st.tuples(st.sampled_from([Verdict.UP, Verdict.DOWN, Verdict.DEGRADED]), seconds),
    min_size=1,
    max_size=12,
)
scenarios = st.builds(
    Scenario,
    policy=st.builds(
        Policy,
        failure_threshold=st.integers(1, 2),
        recovery_threshold=st.integers(1, 2),
        flap_changes=st.sampled_from([0, 2, 4]),
        interval_s=st.sampled_from([10, 30, 60]),
    ),
    lives=st.lists(alternating | mixed, min_size=1, max_size=3),
    repeat_s=st.sampled_from([None, 300]),
    maintenance=st.none() | st.tuples(st.integers(60, 1_200), st.integers(60, 1_200)),
    pauses=st.lists(
        st.tuples(st.integers(0, 3_000), st.integers(0, 2), st.integers(1, 900)), max_size=2
    ),
)


class Story:
    """One scenario, from event to event, with what the channel was told."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world, self.scenario, self.alice = world, scenario, world.user()
        channel(self.alice, repeat_s=scenario.repeat_s)
        self.begin = int(world.clock())
        self.targets = [self.add_target(number) for number in range(len(scenario.lives))]
        self.states = [State.pending(self.begin) for _ in self.targets]
        self.words: dict[str, str] = {}
        self.open: set[str] = set()
        self.ended: set[str] = set()
        self.heard = self.judged = 0
        self.right_at = [self.begin for _ in self.targets]

    def add_target(self, number: int) -> str:
        target = self.alice.make_target(name=f"Shop {number}", interval_s=60)
        return str(target["id"])

    def play(self) -> None:
        if self.scenario.maintenance:
            start, length = self.scenario.maintenance
            window(self.alice, start, start + length, tags=[], target_ids=self.targets[:1])
        for elapsed_s in range(self.scenario.seconds + END_S):
            self.world.clock.time = self.begin + elapsed_s
            for number in range(len(self.targets)):
                self.live(number, elapsed_s)
            if self.world.alerts.is_due:
                self.process_alerts()
                self.listen()
            self.compare(elapsed_s)
        assert self.open == set(), "whoever was told of an outage is told its end"
        assert set(self.words.values()) <= {"up"}

    def live(self, number: int, elapsed_s: int) -> None:
        """Check the target if it is time to, pause or resume it."""
        state, now = self.states[number], self.begin + elapsed_s
        flip = None
        for at, which, length in self.scenario.pauses:
            if which % len(self.targets) == number and elapsed_s == at:
                self.states[number], flip = pause(state, now)
            if which % len(self.targets) == number and elapsed_s == at + length:
                self.states[number] = resume(state, now)
        if elapsed_s % self.scenario.policy.interval_s == number and flip is None:
            verdict = self.scenario.verdict(number, elapsed_s)
            observation = Observation(now, verdict)
            state = self.states[number]
            self.states[number], flip = observe(state, observation, self.scenario.policy, now)
        if flip:
            self.send(self.targets[number], flip)

    def send(self, target_id: str, flip: Flip) -> None:
        job = FlipsJob(self.alice.owner, 0, [Entry(target_id=target_id, flip=flip)])
        self.world.alerts.send(iter([Message(job.to_json())]))

    def process_alerts(self) -> None:
        while self.world.alerts.is_due:
            failed, later = self.world.process_alerts(), self.world.clock() + REDELIVERY_S
            self.world.alerts.waiting += [(later, body) for body in failed]

    def listen(self) -> None:
        received = self.world.outbound.received(HOOK)
        for payload in received[self.heard :]:
            data = payload["data"]
            named = [target["target_id"] for target in data["targets"]]
            assert len(set(named)) == len(named) == data["count"], "each target is named once"
            for target in data["targets"]:
                self.hear(payload["type"], target)
        self.heard = len(received)

    def hear(self, event: str, target: dict[str, Any]) -> None:
        incident = target["incident_id"]
        if event in ("down", "reminder"):
            assert incident not in self.ended, "an end is never followed by its outage"
            self.open.add(incident)
        if event == "recovered":
            assert incident in self.open, "an end follows its outage"
            self.open -= {incident}
            self.ended.add(incident)
        is_over = event == "down" and target["until"]
        word = "up" if is_over else WORDS[target["status"]]
        self.words[target["target_id"]] = word

    def compare(self, elapsed_s: int) -> None:
        """Compare the last words with the states, unless alerts are muted."""
        now = self.begin + elapsed_s
        for number, state in enumerate(self.states):
            word = self.words.get(self.targets[number], "up")
            is_right = word == ("down" if state.status is Status.DOWN else "up")
            is_undefined = state.status in (Status.PENDING, Status.PAUSED)
            if is_right or is_undefined or self.scenario.is_muted(number, elapsed_s):
                self.right_at[number] = now
            wrong_s = now - max(state.since, self.right_at[number])
            assert wrong_s <= TEN_MINUTES_S, (elapsed_s, word, state)
            self.judged += 1


@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(scenarios)
def test_last_word_is_never_wrong_for_longer_than_ten_minutes(scenario: Scenario) -> None:
    with memory_stage() as world:
        story = Story(world, scenario)
        story.play()
    assert story.judged, "the last word was compared with the state"
