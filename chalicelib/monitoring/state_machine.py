"""The state machine: turns check results into the status of a target, and decides on alerts.

`observe` is a pure function. Its `State` is small, because fifty are stored in one item, and stays
the same object while results bring no change, so that an unchanged lane is not written.

The rules:

- `failure_threshold` DOWN results in a row make DOWN; `recovery_threshold` results in a row that
  are not DOWN end it, and the last of them decides between UP and DEGRADED.
- `failure_threshold` results in a row that are not UP, but not all DOWN, make DEGRADED: this also
  covers alternating slow responses and failures. `recovery_threshold` UP results in a row end it.
  It never opens an incident.
- UNKNOWN is Monitum's own failure: it neither changes a status nor interrupts a row.
- PENDING ends at the first UP, without a flip, or by the thresholds. PAUSED ignores all results.
- A result counts once: those at or before the tick of the last change are ignored. Results that
  changed nothing are not recorded, so the caller drops results older than the newest seen.
- More than `flap_changes` changes of status within `flap_window_s` make the target flapping: one
  flip opens an incident, or takes over the open one. Flapping mutes the changes, never a status
  that lasts: after `standing_s` of DOWN one flip says so (settled), and after `standing_s` of any
  other status the flapping ends and the incident closes. A whole window of DOWN ends the flapping
  too, without a flip: the incident continues as an ordinary outage. The result that completes the
  time must confirm the status; DEGRADED, between UP and DOWN, is confirmed by any.
"""

from dataclasses import replace
from typing import Final

from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.state import Flip, FlipKind, Observation, Policy, State, Status

# fmt: off
__all__ = [
    "Flip", "FlipKind", "Observation", "Policy", "State", "Status",
    "consecutive_failures", "observe", "pause", "resume",
]
# fmt: on

FUTURE_S: Final = 120
"""Results further in the future are ignored: one would make all earlier ones look old."""


def observe(
    state: State, observation: Observation, policy: Policy, now: int
) -> tuple[State, Flip | None]:
    """Return the state after a result (the same object if unchanged) and its flip, if any.

    The flip depends on state, observation and policy only, so computing it again after a crash
    gives the same one. `now` (epoch seconds) only serves to ignore results from the future.
    """
    if state.status is Status.PAUSED or observation.verdict is Verdict.UNKNOWN:
        return state, None
    if not state.changed < observation.tick <= now + FUTURE_S:
        return state, None
    after = _count(state, observation, policy)
    status = _status(after, observation.verdict, policy)
    if status is not state.status:
        return _move(state, after, status, observation, policy)
    return _stay(state, after, observation, policy)


def pause(state: State, now: int) -> tuple[State, Flip | None]:
    """Return the paused state and the flip that closes the open incident, if there is one.

    Deleting a target uses the same flip. Pausing twice changes nothing.
    """
    if state.status is Status.PAUSED:
        return state, None
    at = max(now, state.since, state.changed)
    paused = State(Status.PAUSED, at, at)
    if state.opened is None:
        return paused, None
    return paused, Flip(
        FlipKind.CANCELLED,
        state.status,
        Status.PAUSED,
        at,
        first_failed_at=state.failing_since,
        opened_at=state.opened,
    )


def resume(state: State, now: int) -> State:
    """Return PENDING since `now`; a state that is not paused is returned unchanged."""
    if state.status is not Status.PAUSED:
        return state
    return State.pending(max(now, state.since))


def consecutive_failures(state: State, interval_s: int, latest_tick: int) -> int:
    """Return how many checks have failed in a row up to `latest_tick`, for display.

    Nothing is written during an outage, so the count is computed: the ticks since its first failing
    check, including those that were UNKNOWN, not run, or UP without ending it.
    """
    if state.status is not Status.DOWN or state.failing_since is None:
        return state.failures
    if state.successes:
        return 0
    return max(state.failures, (latest_tick - state.failing_since) // interval_s + 1)


def _count(state: State, observation: Observation, policy: Policy) -> State:
    """Return the state with its counters updated by a result."""
    if observation.verdict is Verdict.DOWN:
        return _count_failure(state, observation.tick, policy)
    if state.status is Status.DOWN:
        return replace(state, successes=min(state.successes + 1, policy.recovery_threshold))
    successes = warnings = 0
    if observation.verdict is Verdict.DEGRADED and state.status is not Status.DEGRADED:
        warnings = min(state.warnings + 1, policy.failure_threshold)
    if observation.verdict is Verdict.UP and state.status is Status.DEGRADED:
        successes = min(state.successes + 1, policy.recovery_threshold)
    return replace(state, failures=0, failing_since=None, successes=successes, warnings=warnings)


def _count_failure(state: State, tick: int, policy: Policy) -> State:
    """Return the state with one more failure; counters stop at the threshold."""
    if state.status is Status.DOWN:
        return replace(state, successes=0)
    limit = policy.failure_threshold
    return replace(
        state,
        failures=min(state.failures + 1, limit),
        successes=0,
        warnings=0 if state.status is Status.DEGRADED else min(state.warnings + 1, limit),
        failing_since=tick if state.failing_since is None else state.failing_since,
    )


def _status(state: State, verdict: Verdict, policy: Policy) -> Status:
    """Return the status that follows from the counters and the latest verdict."""
    if state.status in (Status.DOWN, Status.DEGRADED) and (
        state.successes >= policy.recovery_threshold
    ):
        return Status(verdict)
    if state.status is not Status.DOWN and state.failures >= policy.failure_threshold:
        return Status.DOWN
    if state.status in (Status.PENDING, Status.UP) and state.warnings >= policy.failure_threshold:
        return Status.DEGRADED
    if state.status is Status.PENDING and verdict is Verdict.UP:
        return Status.UP
    return state.status


def _move(
    state: State, counted: State, status: Status, observation: Observation, policy: Policy
) -> tuple[State, Flip | None]:
    """Return the state in its new status, and the flip to notify of, if any."""
    after = _enter(counted, status, observation.tick)
    if state.flapping or (state.status is Status.PENDING and status is Status.UP):
        return after, None
    changes = _recent_changes(state, observation.tick, policy)
    flapping = len(changes) > policy.flap_changes
    outage = Status.DOWN in (state.status, status)
    opened = observation.tick if state.opened is None else state.opened
    flip = Flip(
        FlipKind.FLAPPING if flapping else _KINDS[state.status is Status.DOWN, status],
        state.status,
        status,
        observation.tick,
        observation.reason,
        first_failed_at=counted.failing_since if outage else None,
        opened_at=opened if outage or flapping else None,
    )
    return replace(
        after,
        opened=opened if flapping or status is Status.DOWN else None,
        flapping=flapping,
        changes=() if flapping else changes,
    ), flip


_KINDS: Final = {
    (False, Status.DOWN): FlipKind.OPENED,
    (True, Status.UP): FlipKind.CLOSED,
    (True, Status.DEGRADED): FlipKind.CLOSED,
    (False, Status.DEGRADED): FlipKind.DEGRADED,
    (False, Status.UP): FlipKind.RECOVERED,
}


def _enter(counted: State, status: Status, tick: int) -> State:
    """Return the state at the start of a status; only leaving DOWN resets the failures."""
    left_down = counted.status is Status.DOWN
    return replace(
        counted,
        status=status,
        since=tick,
        changed=tick,
        failures=0 if left_down else counted.failures,
        successes=0,
        warnings=0,
        failing_since=None if left_down else counted.failing_since,
    )


def _recent_changes(state: State, tick: int, policy: Policy) -> tuple[int, ...]:
    """Return the changes within the window ending at a new one; leaving PENDING is not a change."""
    if state.status is Status.PENDING or not policy.flap_changes:
        return ()
    start = tick - policy.flap_window_s
    return (*(change for change in state.changes if change > start), tick)


def _stay(
    state: State, counted: State, observation: Observation, policy: Policy
) -> tuple[State, Flip | None]:
    """Return the state after a result that leaves the status as it is, and its flip, if any."""
    tick, is_down = observation.tick, state.status is Status.DOWN
    stood, after, flip = tick - state.since, counted, None
    if not _confirms(observation, state.status) or stood < policy.standing_s:
        return _changed(state, after, tick), None
    if state.flapping and not (is_down and state.settled):
        kind = FlipKind.SETTLED if is_down else FlipKind.CLOSED
        first_failed_at, reason = counted.failing_since, observation.reason
        flip = Flip(kind, state.status, state.status, tick, reason, first_failed_at, state.opened)
        opened = state.opened if is_down else None
        after = replace(after, flapping=is_down, settled=is_down, opened=opened)
    if stood >= policy.flap_window_s:
        after = replace(after, changes=(), flapping=False, settled=False)
    return _changed(state, after, tick), flip


def _confirms(observation: Observation, status: Status) -> bool:
    return status is Status.DEGRADED or Status(observation.verdict) is status


def _changed(state: State, after: State, tick: int) -> State:
    return state if after == state else replace(after, changed=tick)
