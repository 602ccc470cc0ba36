"""What owners do with their targets."""

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.checkers.urls import BadUrl
from chalicelib.domain.errors import (
    ConflictError,
    Fault,
    InvalidError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
from chalicelib.domain.ids import new_id
from chalicelib.domain.lanes import choose_place
from chalicelib.domain.secrets import Secrets
from chalicelib.domain.specs import CheckSpec
from chalicelib.domain.state import State, pause, resume
from chalicelib.domain.targets import SPEC_BYTES, Target
from chalicelib.services.history import Check
from chalicelib.services.runtime import Runtime
from chalicelib.services.scheduling import check_soon, send_jobs, single_job
from chalicelib.store.lanes import Lanes, read_secrets
from chalicelib.store.results import CheckKey, read_results
from chalicelib.store.schedule import use_interval
from chalicelib.store.targets import ChangedError, Targets
from chalicelib.store.tripwire import acting_as_system

_ATTEMPTS = 30
_CHECK_PATIENCE_S = 2.0
"""How long a check may wait in the queue, beyond its own timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A target as its owner describes it, valid by the schema."""

    name: str
    kind: str
    interval_s: int
    timeout_s: int
    failure_threshold: int
    recovery_threshold: int
    config: Mapping[str, Any]
    expect: Mapping[str, Any]
    secrets: Secrets = field(default_factory=Secrets)
    tags: Sequence[str] = ()
    channel_ids: Sequence[str] = ()
    enabled: bool = True


def create(runtime: Runtime, owner: str, draft: Draft, target_id: str | None = None) -> Target:
    """Store a new target in a free place and have it checked at once.

    With a `target_id` the target is made once, however often it is asked for. Raises InvalidError
    for a draft that cannot be, ConflictError when no place can be had.
    """
    _admit(runtime, draft)
    draft = replace(draft, secrets=draft.secrets.over(Secrets()))
    _use(draft.interval_s)
    target = _add(runtime, owner, draft, target_id or new_id(runtime.clock()))
    if target.enabled:
        check_soon(runtime, target, is_planned=False)
    return target


def change(runtime: Runtime, before: Target, draft: Draft) -> Target:
    """Make `before` what `draft` says; raises PreconditionError if `before` is outdated.

    Pausing and resuming go with it. Masked secrets keep the stored values.
    """
    _admit(runtime, draft)
    stored = _stored_secrets(before) if before.spec.has_secrets else Secrets()
    secrets = draft.secrets.over(stored)
    after = replace(
        _described(before, draft, _spec(draft, before.id, before.spec.place)),
        version=before.version + 1,
        updated_at=runtime.now,
    )
    is_planned = before.enabled and after.spec.interval_s == before.spec.interval_s
    if not is_planned:
        _use(after.spec.interval_s)
    state = _switched(runtime, after) if after.enabled != before.enabled else None
    try:
        Targets(before.owner).change(
            before, after, state=state, secrets=None if secrets == stored else secrets
        )
    except ChangedError:
        raise PreconditionError("the target was changed by somebody else meanwhile") from None
    if after.enabled and (after.spec != before.spec or secrets != stored or state):
        check_soon(runtime, after, is_planned=is_planned)
    return after


def switch(runtime: Runtime, owner: str, target_id: str, *, enabled: bool) -> Target:
    """Resume or pause; where it is so already nothing happens. Raises NotFoundError."""
    for _ in range(_ATTEMPTS):
        before = Targets(owner).get(target_id)
        if before.enabled == enabled:
            return before
        after = replace(before, enabled=enabled, version=before.version + 1, updated_at=runtime.now)
        try:
            Targets(owner).change(before, after, state=_switched(runtime, after), secrets=None)
        except ChangedError:
            continue
        if enabled:
            _use(after.spec.interval_s)
            check_soon(runtime, after, is_planned=False)
        return after
    raise ConflictError("the target is being changed by others; try again")


def remove(target: Target) -> None:
    """Delete the target; raises PreconditionError if `target` is outdated."""
    try:
        Targets(target.owner).remove(target)
    except ChangedError:
        raise PreconditionError("the target was changed by somebody else meanwhile") from None


def check_now(runtime: Runtime, target: Target) -> Check:
    """Have the worker check the target now and wait for it.

    Raises ConflictError for a paused target, UnavailableError when the worker does not come to it.
    """
    if not target.enabled:
        raise ConflictError("the target is paused; resume it first")
    tick, region, place = runtime.now, runtime.settings.region, target.spec.place
    send_jobs(runtime, [single_job(target, tick)])
    key = CheckKey(target.owner, target.lane, tick, region, place)
    give_up = time.monotonic() + target.spec.timeout_s + _CHECK_PATIENCE_S
    while time.monotonic() < give_up:
        found = read_results([key], consistent=True)
        if found:
            return Check(target.id, tick, region, found[key][place])
        time.sleep(0.1)
    raise UnavailableError("the check was ordered but is not done yet; see the target's checks")


def _add(runtime: Runtime, owner: str, draft: Draft, target_id: str) -> Target:
    lanes, now = Lanes(owner), runtime.now
    for attempt in range(_ATTEMPTS):
        taken = lanes.all()
        seat = choose_place(taken)
        if seat is None:
            lanes.open(len(taken))
            continue
        lane, place = seat
        spec = _spec(draft, target_id, place)
        target = _described(
            Target(owner=owner, spec=spec, lane=lane, name="", created_at=now, updated_at=now),
            draft,
            spec,
        )
        state = State.pending(now)
        if not target.enabled:
            state, _ = pause(state, now)
        try:
            Targets(owner).add(target, state, draft.secrets)
        except ChangedError:
            if attempt and (made := _existing(owner, target_id)):
                return made
            time.sleep(random.random() * 0.01 * attempt)  # noqa: S311 - spreads writers
            continue
        return target
    raise ConflictError("too many targets are being created at once; try again")


def _existing(owner: str, target_id: str) -> Target | None:
    try:
        return Targets(owner).get(target_id)
    except NotFoundError:
        return None


def _admit(runtime: Runtime, draft: Draft) -> None:
    """Refuse what the guard would never connect to; raises InvalidError."""
    try:
        runtime.guard.validate_url(draft.config["url"])
    except BadUrl as error:
        fault = Fault(("body", "url"), str(error))
        raise InvalidError("the target cannot be watched", (fault,)) from None


def _spec(draft: Draft, target_id: str, place: int) -> CheckSpec:
    spec = CheckSpec(
        target_id=target_id,
        place=place,
        kind=draft.kind,
        interval_s=draft.interval_s,
        timeout_s=draft.timeout_s,
        failure_threshold=draft.failure_threshold,
        recovery_threshold=draft.recovery_threshold,
        config=draft.config,
        expect=draft.expect,
        has_secrets=bool(draft.secrets),
    )
    size = len(json.dumps(spec.to_message()).encode())
    if size > SPEC_BYTES:
        raise InvalidError(
            f"the target takes {size} bytes with its body and expectations;"
            f" {SPEC_BYTES} is the most that travels"
        )
    return spec


def _described(target: Target, draft: Draft, spec: CheckSpec) -> Target:
    return replace(
        target,
        spec=spec,
        name=draft.name,
        tags=tuple(draft.tags),
        channel_ids=tuple(draft.channel_ids),
        enabled=draft.enabled,
        secret_names=draft.secrets.names,
    )


def _switched(runtime: Runtime, after: Target) -> State:
    """The state that a target is switched to; raises ChangedError where it has none."""
    lane = Lanes(after.owner).get(after.lane)
    state = lane.state_of(after.id, after.spec.place)
    if state is None:
        raise ChangedError
    return resume(state, runtime.now) if after.enabled else pause(state, runtime.now)[0]


def _stored_secrets(target: Target) -> Secrets:
    lane = (target.owner, target.lane)
    return read_secrets([lane]).get(lane, {}).get(target.spec.place, Secrets())


def _use(interval_s: int) -> None:
    with acting_as_system():
        use_interval(interval_s)
