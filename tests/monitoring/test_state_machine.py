"""Random lives of a target, with duplicates, reordering and gaps: what always holds."""

import json
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.monitoring.state_machine import (
    Flip,
    FlipKind,
    Observation,
    Policy,
    State,
    Status,
    observe,
    pause,
    resume,
)

START = 1_795_003_200
LATER = START + 10**9
verdicts = st.sampled_from(Verdict)
policies = st.builds(
    Policy,
    failure_threshold=st.integers(1, 3),
    recovery_threshold=st.integers(1, 3),
    flap_changes=st.integers(0, 4),
    flap_window_s=st.sampled_from([300, 600, 3_600]),
)


def result(tick: int, verdict: Verdict) -> Observation:
    return Observation(tick, verdict, None if verdict is Verdict.UP else Reason.TIMEOUT)


def row(history: list[Verdict], *wanted: Verdict) -> int:
    """Return how many of the last results are of the wanted kinds."""
    return len(list(takewhile(lambda verdict: verdict in wanted, reversed(history))))


def status_of(history: list[Verdict], policy: Policy) -> Status:
    """Return the status after a history, by the letter of the rules and without counters."""
    status = Status.PENDING
    for count in range(1, len(history) + 1):
        status = _next_status(status, history[:count], policy)
    return status


def _next_status(status: Status, history: list[Verdict], policy: Policy) -> Status:
    if status is Status.DOWN:
        well = row(history, Verdict.UP, Verdict.DEGRADED)
        return Status(history[-1]) if well >= policy.recovery_threshold else status
    if row(history, Verdict.DOWN) >= policy.failure_threshold:
        return Status.DOWN
    if status is Status.DEGRADED:
        return Status.UP if row(history, Verdict.UP) >= policy.recovery_threshold else status
    if row(history, Verdict.DOWN, Verdict.DEGRADED) >= policy.failure_threshold:
        return Status.DEGRADED
    return Status.UP if history[-1] is Verdict.UP else status


class Life(RuleBasedStateMachine):
    """One target, its results in any order, and the incidents that its flips make."""

    @initialize(policy=policies)
    def begin(self, policy: Policy) -> None:
        self.policy = policy
        self.state = State.pending(START)
        self.clock = START
        self.accepted: list[Verdict] = []
        self.seen: list[Observation] = []
        self.incident: int | None = None
        self.closed: set[int] = set()
        self.told_degraded = False
        self.last_flip = START - 1

    @rule(verdict=verdicts, times=st.integers(1, 4))
    def checks_on_time(self, verdict: Verdict, times: int) -> None:
        for _ in range(times):
            self.clock += 60
            self.take(result(self.clock, verdict))

    @rule(verdict=verdicts, minutes=st.integers(2, 120))
    def check_after_a_gap(self, verdict: Verdict, minutes: int) -> None:
        self.clock += 60 * minutes
        self.take(result(self.clock, verdict))

    @rule(verdict=verdicts, minutes=st.integers(0, 30))
    def check_that_comes_late(self, verdict: Verdict, minutes: int) -> None:
        self.take(result(self.clock - 60 * minutes - 30, verdict))

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def message_that_comes_again(self, data: st.DataObject) -> None:
        self.take(data.draw(st.sampled_from(self.seen)))

    @precondition(lambda self: self.state.status is not Status.PAUSED)
    @rule(seconds=st.integers(-300, 3_600))
    def pause(self, seconds: int) -> None:
        self.clock += max(seconds, 0)
        paused, flip = pause(self.state, self.clock + min(seconds, 0))
        assert (flip is None) == (self.incident is None)
        self.follow(flip)
        self.state = paused

    @precondition(lambda self: self.state.status is Status.PAUSED)
    @rule(seconds=st.integers(0, 3_600))
    def resume(self, seconds: int) -> None:
        self.clock += seconds
        self.state = resume(self.state, self.clock)
        self.accepted = []

    def take(self, observation: Observation) -> None:
        """Observe a result, in all the ways that must come to the same."""
        before = self.state
        after, flip = observe(before, observation, self.policy, LATER)
        assert observe(before, observation, self.policy, LATER + 999) == (after, flip)
        again, nothing = observe(after, observation, self.policy, LATER)
        assert again is after
        assert nothing is None
        if before.status is Status.PAUSED or observation.tick <= before.changed:
            assert after is before
        elif observation.verdict is not Verdict.UNKNOWN:
            self.accepted.append(observation.verdict)
        assert (after is before) == (after == before)
        assert after is before or after.changed == observation.tick > before.changed
        self.seen.append(observation)
        self.follow(flip)
        self.state = after

    def follow(self, flip: Flip | None) -> None:
        """Keep the incidents as whoever gets the flips would."""
        if flip is None:
            return
        assert flip.at > self.last_flip or flip.kind is FlipKind.CANCELLED
        assert flip.first_failed_at is None or flip.first_failed_at <= flip.at
        self.last_flip = flip.at
        if flip.kind is FlipKind.OPENED:
            assert self.incident is None
            self.open(flip)
        elif flip.kind is FlipKind.FLAPPING:
            if self.incident is None:
                self.open(flip)
            assert flip.opened_at == self.incident
        elif flip.kind is FlipKind.SETTLED:
            assert flip.opened_at == self.incident is not None
        elif flip.kind in (FlipKind.CLOSED, FlipKind.CANCELLED):
            self.close(flip)
        else:
            assert flip.opened_at is None
            assert self.incident is None
            assert flip.kind is FlipKind.DEGRADED or self.told_degraded
        self.told_degraded = flip.to_status is Status.DEGRADED

    def open(self, flip: Flip) -> None:
        assert flip.opened_at == flip.at
        assert flip.at not in self.closed
        self.incident = flip.at

    def close(self, flip: Flip) -> None:
        assert self.incident is not None
        assert flip.opened_at == self.incident
        assert flip.at >= flip.opened_at
        self.closed.add(self.incident)
        self.incident = None

    @invariant()
    def the_state_knows_the_open_incident(self) -> None:
        assert self.state.opened == self.incident
        in_incident = self.state.status is Status.DOWN or self.state.flapping
        assert (self.incident is not None) == in_incident

    @invariant()
    def the_status_follows_from_the_accepted_results_alone(self) -> None:
        if self.state.status is not Status.PAUSED:
            assert self.state.status is status_of(self.accepted, self.policy)

    @invariant()
    def the_state_is_small_sound_and_stored_without_loss(self) -> None:
        stored = json.dumps(self.state.to_list())
        assert State.from_list(json.loads(stored)) == self.state
        assert len(stored) < 150
        assert len(self.state.changes) <= self.policy.flap_changes
        assert not (self.state.changes and self.state.flapping)
        assert self.state.failures <= self.policy.failure_threshold
        assert self.state.successes < self.policy.recovery_threshold
        assert (self.state.failures > 0) == (self.state.failing_since is not None)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(policies, st.lists(st.tuples(verdicts, st.lists(st.integers(1, 30), max_size=3))))
def test_repeated_and_late_messages_change_nothing(
    policy: Policy, checks: list[tuple[Verdict, list[int]]]
) -> None:
    once = often = State.pending(START)
    flips_once: list[Flip | None] = []
    flips_often: list[Flip | None] = []
    results = [result(START + 60 * i, verdict) for i, (verdict, _) in enumerate(checks)]
    for index, (_, backs) in enumerate(checks):
        once, flip = observe(once, results[index], policy, LATER)
        flips_once += [flip] if flip else []
        for back in [0, *backs]:
            again = results[max(0, index - back)]
            often, flip = observe(often, again, policy, LATER)
            flips_often += [flip] if flip else []
    assert (often, flips_often) == (once, flips_once)


@given(policies, st.lists(verdicts, max_size=30), verdicts)
def test_repeated_results_end_in_the_identical_state(
    policy: Policy, history: list[Verdict], verdict: Verdict
) -> None:
    state = State.pending(START)
    for minute, each in enumerate(history):
        state, _ = observe(state, result(START + 60 * minute, each), policy, LATER)
    states = [state]
    for minute in range(len(history), len(history) + 100):
        states.append(observe(states[-1], result(START + 60 * minute, verdict), policy, LATER)[0])
    assert states[-1].changes == () or verdict is Verdict.UNKNOWN
    assert not states[-1].flapping or verdict is Verdict.UNKNOWN
    assert all(each is states[70] for each in states[70:])
