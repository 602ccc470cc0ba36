"""What owners do with their targets."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.access.quotas import ATTEMPTS, back_off, host_limit, raise_if_exceeded
from chalicelib.access.usage import NO_CHANGE, TransactionConflictError, UsageChange, used
from chalicelib.alerting.channels.service import admit_channels
from chalicelib.aws.sqs import SendError
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.common.errors import ConflictError, NotFoundError, UnavailableError
from chalicelib.common.ids import new_id
from chalicelib.maintenance.skip_rules import changes_skip_rules, concerns_skipping, is_skipped
from chalicelib.monitoring.check_history import Check
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.lane_allocator import LaneAllocator
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State, pause
from chalicelib.monitoring.storage.lane_repository import read_secrets
from chalicelib.monitoring.storage.result_repository import CheckKey, read_results
from chalicelib.monitoring.storage.schedule_repository import use_interval
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.targets.host_budget import host_checks_delta
from chalicelib.targets.lifecycle import store_change, store_removal
from chalicelib.targets.runtime import TargetsRuntime
from chalicelib.targets.validation import Draft, admit, admit_addressee
from chalicelib.worker.scheduler import check_soon, send_jobs, single_job

Done = TypeVar("Done")
_LOG = logging.getLogger(__name__)
_DAY_S = 86_400
_CHECK_PATIENCE_S = 10
"""How long a check may wait in the queue and for a worker to start, beyond its own timeout."""
_CALL_S = 27
"""How long a call may take: API Gateway gives up after 29 s."""


def create(
    runtime: TargetsRuntime,
    owner: str,
    draft: Draft,
    target_id: str | None = None,
    allocator: LaneAllocator | None = None,
    quota: int | None = None,
) -> Target:
    """Store a new target in a free place and have it checked at once.

    With a `target_id` the target is made once, however often it is asked for; with `allocator` the
    lanes are read once for many; `quota` is how many the owner may have, by default the stage's.
    Raises InvalidError for a draft that cannot be, QuotaError and HostBudgetError for what is too
    much, ConflictError when no place can be had.
    """
    draft = prepared(runtime, draft)
    admit_channels(owner, draft.channel_ids)
    new = target_id or new_id(runtime.clock())
    target = _add(runtime, allocator or LaneAllocator(owner), draft, new, quota)
    if target.enabled:
        _check_soon(runtime, target, is_planned=False)
    return target


def prepared(runtime: TargetsRuntime, draft: Draft) -> Draft:
    """The draft of a new target as it can be stored; raises InvalidError, nothing is written."""
    admit(runtime.guard, draft)
    return replace(draft, secrets=draft.secrets.over(Secrets()))


def change(
    runtime: TargetsRuntime, owner: str, target_id: str, redraft: Callable[[Target], Draft]
) -> Target:
    """Make the target what `redraft` says of it as it is now. Raises NotFoundError, InvalidError.

    Where it is so already, its version stays. Pausing and resuming go with it. Masked secrets keep
    the stored values. `redraft` is asked again where another change came between; what it raises is
    raised.
    """

    def attempt(before: Target) -> Target:
        return _change(runtime, before, redraft(before))

    return _persistently(owner, target_id, attempt)


def switch(runtime: TargetsRuntime, owner: str, target_id: str, *, enabled: bool) -> Target:
    """Resume or pause; where it is so already nothing happens. Raises NotFoundError."""

    def attempt(before: Target) -> Target:
        if before.enabled == enabled:
            return before
        after = replace(before, enabled=enabled, version=before.version + 1, updated_at=runtime.now)
        store_change(runtime, before, after, None, NO_CHANGE)
        if enabled:
            _check_soon(runtime, after, is_planned=False)
        return after

    return _persistently(owner, target_id, attempt)


def remove(
    runtime: TargetsRuntime, owner: str, target_id: str, allow: Callable[[Target], None]
) -> None:
    """Delete the target, if `allow` does not raise. Raises NotFoundError."""

    def attempt(before: Target) -> None:
        allow(before)
        usage = UsageChange("targets", -1, hosts=host_checks_delta(before.spec, None))
        with acting_for(owner, *usage.system_keys):
            store_removal(runtime, before, usage)

    _persistently(owner, target_id, attempt)


def _persistently(owner: str, target_id: str, attempt: Callable[[Target], Done]) -> Done:
    """What `attempt` does with the target as it is now, again where a write came between."""
    for number in range(ATTEMPTS):
        before = Targets(owner).get(target_id)
        try:
            return attempt(before)
        except TransactionConflictError:
            back_off(number)
    raise ConflictError("the target is being changed by others; try again")


def _change(runtime: TargetsRuntime, before: Target, draft: Draft) -> Target:
    """One attempt; raises ChangedError if `before` is outdated."""
    admit(runtime.guard, draft)
    admit_channels(before.owner, draft.channel_ids, before.channel_ids)
    stored = _stored_secrets(before) if before.spec.has_secrets else Secrets()
    admit_addressee(draft, before.spec.config)
    draft = replace(draft, secrets=draft.secrets.over(stored))
    kept_s = runtime.settings.results_retention_days * _DAY_S
    tagged = before.tagged(draft.tags, runtime.now, kept_s)
    described = _described(tagged, draft, draft.spec(before.id, before.spec.place))
    new_secrets = None if draft.secrets == stored else draft.secrets
    if described == before and new_secrets is None:
        return before
    after = replace(described, version=before.version + 1, updated_at=runtime.now)
    is_planned = before.enabled and after.spec.interval_s == before.spec.interval_s
    if not is_planned:
        _use(after.spec.interval_s, after.shard)
    switches = after.enabled != before.enabled
    usage = UsageChange(
        hosts=host_checks_delta(before.spec, after.spec),
        host_limit=host_limit(runtime.settings.limits),
    )
    is_concerned = concerns_skipping(before.owner, after.tags, before.tags)
    try:
        with (
            acting_for(before.owner, *usage.system_keys),
            changes_skip_rules(runtime, before.owner, is_needed=is_concerned),
        ):
            store_change(runtime, before, after, new_secrets, usage)
    except TransactionConflictError:
        raise_if_exceeded(usage, {})
        raise
    if after.enabled and (after.spec != before.spec or new_secrets is not None or switches):
        _check_soon(runtime, after, is_planned=is_planned)
    return after


def check_now(runtime: TargetsRuntime, target: Target) -> Check:
    """Have the worker check the target now and wait for it.

    Raises ConflictError for one that is paused or skipped, UnavailableError when the worker does
    not come to it.
    """
    if not target.enabled:
        raise ConflictError("the target is paused; resume it first")
    if is_skipped(target, runtime.now):
        raise ConflictError("a maintenance window keeps the target from being checked now")
    tick, region, place = runtime.now, runtime.settings.region, target.spec.place
    send_jobs(runtime, [single_job(target, tick)])
    key = CheckKey(target.owner, target.lane, tick, region, place)
    patience = min(target.spec.timeout_s + _CHECK_PATIENCE_S, _CALL_S)
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        found = read_results([key], consistent=True)
        if found:
            return Check(target.id, tick, region, found[key][place])
        time.sleep(0.1)
    raise UnavailableError("the check was ordered but is not done yet; see the target's checks")


def _add(
    runtime: TargetsRuntime,
    allocator: LaneAllocator,
    draft: Draft,
    target_id: str,
    quota: int | None,
) -> Target:
    owner, now = allocator.owner, runtime.now
    state = State.pending(now)
    if not draft.enabled:
        state, _ = pause(state, now)
    for attempt in range(ATTEMPTS):
        lane, place = allocator.choose()
        spec = draft.spec(target_id, place)
        shard = allocator.shard(lane)
        new = Target(
            owner=owner, spec=spec, lane=lane, shard=shard, name="", created_at=now, updated_at=now
        )
        target = _described(new, draft, spec)
        _use(draft.interval_s, shard)
        usage = _usage_of_new(runtime, target, quota)
        try:
            with (
                acting_for(owner, *usage.system_keys),
                changes_skip_rules(runtime, owner, is_needed=concerns_skipping(owner, target.tags)),
            ):
                Targets(owner).add(target, state, draft.secrets, usage)
        except TransactionConflictError:
            if made := _existing(owner, target_id):
                return made
            raise_if_exceeded(usage, used(owner))
            allocator.forget()
            back_off(attempt)
            continue
        allocator.take(lane, place, target_id, state)
        return target
    raise ConflictError("too many targets are being created at once; try again")


def _usage_of_new(runtime: TargetsRuntime, target: Target, quota: int | None) -> UsageChange:
    limits = runtime.settings.limits
    return UsageChange(
        "targets",
        1,
        limits.quota_targets if quota is None else quota,
        hosts=host_checks_delta(None, target.spec),
        host_limit=host_limit(limits),
    )


def _existing(owner: str, target_id: str) -> Target | None:
    try:
        return Targets(owner).get(target_id)
    except NotFoundError:
        return None


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


def _stored_secrets(target: Target) -> Secrets:
    lane = (target.owner, target.lane)
    return read_secrets([lane]).get(lane, {}).get(target.spec.place, Secrets())


def _use(interval_s: int, shard: int) -> None:
    with acting_as_system():
        use_interval(interval_s, shard)


def _check_soon(runtime: TargetsRuntime, target: Target, *, is_planned: bool) -> None:
    """Have it checked at once; where the queue fails its next slot comes instead.

    The target is stored by then: an error would have its owner store it again.
    """
    try:
        check_soon(runtime, target, is_planned=is_planned)
    except (BotoCoreError, ClientError, PynamoDBException, SendError):
        _LOG.exception("no check at once", extra={"owner": target.owner, "target": target.id})
