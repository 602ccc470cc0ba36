"""Stories of a target, one letter per check and one check per minute, the first in minute 1.

Results: u UP, g DEGRADED, d DOWN, ? UNKNOWN. Statuses: P PENDING, U UP, G DEGRADED, D DOWN.
Flips are told as `kind@minute`.
"""

from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.monitoring.state_machine import Flip, Observation, Policy, State, Status, observe

START = 1_795_003_200
LATER = START + 10**7
VERDICTS = {"u": Verdict.UP, "g": Verdict.DEGRADED, "d": Verdict.DOWN, "?": Verdict.UNKNOWN}
REASONS = {"g": Reason.SLOW, "d": Reason.TIMEOUT, "?": Reason.INTERNAL}
LETTERS = {Status.PENDING: "P", Status.UP: "U", Status.DEGRADED: "G", Status.DOWN: "D"}
TWICE = Policy(failure_threshold=2, recovery_threshold=1)
CAREFUL = Policy(failure_threshold=3, recovery_threshold=2)
HASTY = Policy(failure_threshold=1, recovery_threshold=1)
RESTLESS = Policy(failure_threshold=1, recovery_threshold=1, flap_changes=3, flap_window_s=600)


def result(letter: str, minute: int) -> Observation:
    return Observation(START + minute * 60, VERDICTS[letter], REASONS.get(letter))


def play(
    results: str, policy: Policy, state: State | None = None, first: int = 1
) -> tuple[list[State], list[Flip]]:
    """Observe one result per minute: the states after each, and the flips."""
    state, states, flips = state or State.pending(START), [], []
    for minute, letter in enumerate(results.split(), first):
        state, flip = observe(state, result(letter, minute), policy, LATER)
        states.append(state)
        flips += [flip] if flip else []
    return states, flips


def last(results: str, policy: Policy) -> State:
    return play(results, policy)[0][-1]


def told(flips: list[Flip]) -> str:
    return " ".join(f"{flip.kind}@{(flip.at - START) // 60}" for flip in flips)
