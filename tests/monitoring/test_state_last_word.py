"""Random lives of a target: what people were last told about it is never wrong for long."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.state_machine import (
    FlipKind,
    Observation,
    Policy,
    State,
    Status,
    observe,
)

START = 1_795_003_200
LATER = START + 10**9
TEN_MINUTES_S = 600
WORDS = {
    FlipKind.OPENED: Status.DOWN,
    FlipKind.SETTLED: Status.DOWN,
    FlipKind.CLOSED: Status.UP,
    FlipKind.DEGRADED: Status.UP,
    FlipKind.RECOVERED: Status.UP,
}
"""What a flip says of a target, DEGRADED being a kind of UP; FLAPPING says neither."""
policies = st.builds(
    Policy,
    failure_threshold=st.integers(1, 3),
    recovery_threshold=st.integers(1, 3),
    flap_changes=st.integers(0, 4),
    flap_window_s=st.sampled_from([300, 1_800, 3_600]),
    interval_s=st.sampled_from([10, 30, 60, 120]),
)
verdicts = st.sampled_from([Verdict.UP, Verdict.DOWN, Verdict.DEGRADED])
lives = st.lists(st.tuples(verdicts, st.integers(1, 90)), min_size=1, max_size=40)
alternating = st.lists(st.integers(1, 60), min_size=1, max_size=40).map(
    lambda runs: [((Verdict.DOWN, Verdict.UP)[at % 2], length) for at, length in enumerate(runs)]
)


@settings(max_examples=400)
@given(policies, lives | alternating)
def test_last_word_is_never_wrong_for_longer_than_ten_minutes(
    policy: Policy, life: list[tuple[Verdict, int]]
) -> None:
    state, tick, wrong_since = State.pending(START), START, START
    word: Status | None = Status.UP
    told_down: int | None = None
    for verdict, times in life:
        for _ in range(times):
            tick += policy.interval_s
            observation = Observation(tick, verdict)
            state, flip = observe(state, observation, policy, LATER)
            if flip:
                word = WORDS.get(flip.kind)
                if word is Status.DOWN:
                    told_down = flip.opened_at
                elif word is Status.UP:
                    assert told_down in (None, flip.opened_at)
                    told_down = None
            is_wrong = state.status is not Status.PENDING and word is not _plain(state.status)
            if not is_wrong or state.changed == state.since == tick:
                wrong_since = tick
            assert tick - wrong_since <= TEN_MINUTES_S, (state, word)


def _plain(status: Status) -> Status:
    return Status.DOWN if status is Status.DOWN else Status.UP
