"""Create, change, delete and check targets."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.access.quotas import ATTEMPTS, back_off, host_limit, raise_if_exceeded
from chalicelib.access.usage import NO_CHANGE, TransactionConflictError, UsageChange, used
from chalicelib.alerting.channels.service import check_channel_ids
from chalicelib.aws.sqs import SendError
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.common.errors import ConflictError, NotFoundError, UnavailableError
from chalicelib.common.ids import new_id
from chalicelib.maintenance.skip_rules import affects_skipping, is_skipped, updating_skip_rules
from chalicelib.monitoring.check_history import Check
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.lane_allocator import LaneAllocator
from chalicelib.monitoring.schedule import planned_until
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State, pause
from chalicelib.monitoring.storage.lane_repository import read_secrets
from chalicelib.monitoring.storage.result_repository import CheckKey, read_results
from chalicelib.monitoring.storage.schedule_repository import use_interval
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.probes.net.urls import parse_host, parse_url, resolver_endpoint
from chalicelib.targets.lifecycle import store_change, store_removal
from chalicelib.targets.runtime import TargetsRuntime
from chalicelib.targets.validation import Draft, validate, validate_recipient
from chalicelib.worker.scheduler import check_changed, check_new, send_jobs, single_job

Result = TypeVar("Result")
_LOG = logging.getLogger(__name__)
_DAY_S = 86_400
_QUEUE_WAIT_S = 10
"""How long a check may wait in the queue and for a worker to start, in addition to its timeout."""
_REQUEST_S = 27
"""How long a request may take: API Gateway gives up after 29 s."""


def create(
    runtime: TargetsRuntime,
    owner: str,
    draft: Draft,
    target_id: str | None = None,
    allocator: LaneAllocator | None = None,
    quota: int | None = None,
) -> Target:
    """Store a new target in a free place and check it immediately.

    With `target_id` repeated calls create one target; a shared `allocator` reads the lanes once for
    many targets; `quota` is the owner's limit, by default the stage's. Raises InvalidError,
    QuotaError or HostBudgetError, and ConflictError if other requests keep taking the place.
    """
    draft = prepare(runtime, draft)
    check_channel_ids(owner, draft.channel_ids)
    new = target_id or new_id(runtime.clock())
    target = _add(runtime, allocator or LaneAllocator(owner), draft, new, quota)
    if target.enabled:
        _check_soon(target, lambda: check_new(runtime, target))
    return target


def prepare(runtime: TargetsRuntime, draft: Draft) -> Draft:
    """Validate the draft of a new target without storing it; raises InvalidError."""
    validate(runtime.guard, draft)
    return replace(draft, secrets=draft.secrets.over(Secrets()))


def change(
    runtime: TargetsRuntime, owner: str, target_id: str, redraft: Callable[[Target], Draft]
) -> Target:
    """Change the target to what `redraft` returns for it. Raises NotFoundError, InvalidError.

    A change of `enabled` pauses or resumes. Masked secrets keep the stored values. If nothing
    changes, the version stays. After a concurrent change `redraft` is called again with the new
    target; its exceptions are passed on.
    """

    def attempt(before: Target) -> Target:
        return _change(runtime, before, redraft(before))

    return _retry(owner, target_id, attempt)


def switch(runtime: TargetsRuntime, owner: str, target_id: str, *, enabled: bool) -> Target:
    """Resume or pause the target, if it is not so already. Raises NotFoundError."""

    def attempt(before: Target) -> Target:
        if before.enabled == enabled:
            return before
        after = replace(before, enabled=enabled, version=before.version + 1, updated_at=runtime.now)
        apart_until = planned_until(runtime.now) if enabled else 0
        after = store_change(runtime, before, after, None, NO_CHANGE, apart_until)
        if enabled:
            _check_soon(after, lambda: check_changed(runtime, after, apart_until))
        return after

    return _retry(owner, target_id, attempt)


def remove(
    runtime: TargetsRuntime, owner: str, target_id: str, check: Callable[[Target], None]
) -> None:
    """Delete the target unless `check` raises. Raises NotFoundError."""

    def attempt(before: Target) -> None:
        check(before)
        usage = UsageChange("targets", -1, hosts=_host_checks_delta(before.spec, None))
        with acting_for(owner, *usage.system_keys):
            store_removal(runtime, before, usage)

    _retry(owner, target_id, attempt)


def _retry(owner: str, target_id: str, attempt: Callable[[Target], Result]) -> Result:
    """Call `attempt` with the stored target, again after a concurrent write to it or its lane."""
    for number in range(ATTEMPTS):
        before = Targets(owner).get(target_id)
        try:
            return attempt(before)
        except TransactionConflictError:
            back_off(number)
    raise ConflictError("the target is being changed by other requests; try again")


def _change(runtime: TargetsRuntime, before: Target, draft: Draft) -> Target:
    """Make one attempt; raises TransactionConflictError if `before` is outdated."""
    validate(runtime.guard, draft)
    check_channel_ids(before.owner, draft.channel_ids, before.channel_ids)
    stored = _stored_secrets(before) if before.spec.has_secrets else Secrets()
    validate_recipient(draft, before.spec.config, stored)
    draft = replace(draft, secrets=draft.secrets.over(stored))
    kept_s = runtime.settings.results_retention_days * _DAY_S
    tagged = before.tagged(draft.tags, runtime.now, kept_s)
    described = _described(tagged, draft, draft.spec_after(before.spec))
    new_secrets = None if draft.secrets == stored else draft.secrets
    if described == before and new_secrets is None:
        return before
    after = replace(described, version=before.version + 1, updated_at=runtime.now)
    is_planned = before.enabled and after.spec.interval_s == before.spec.interval_s
    apart_until = 0 if is_planned or not after.enabled else planned_until(runtime.now)
    if not is_planned:
        _use(after.spec.interval_s, after.shard)
    usage = UsageChange(
        hosts=_host_checks_delta(before.spec, after.spec),
        host_limit=host_limit(runtime.settings.limits),
    )
    is_skipping_affected = affects_skipping(before.owner, after.tags, before.tags)
    try:
        with (
            acting_for(before.owner, *usage.system_keys),
            updating_skip_rules(runtime, before.owner, is_needed=is_skipping_affected),
        ):
            after = store_change(runtime, before, after, new_secrets, usage, apart_until)
    except TransactionConflictError:
        raise_if_exceeded(usage, {})
        raise
    if after.enabled and after.spec != before.spec:
        _check_soon(after, lambda: check_changed(runtime, after, apart_until))
    return after


def check_now(runtime: TargetsRuntime, target: Target) -> Check:
    """Let the worker check the target now and wait for the result.

    Raises ConflictError if the target is paused or skipped, and UnavailableError if the worker does
    not check it in time.
    """
    if not target.enabled:
        raise ConflictError("the target is paused; resume it first")
    if is_skipped(target, runtime.now):
        raise ConflictError("a maintenance window suspends the target's checks; try again after it")
    region, place = runtime.settings.region, target.spec.place
    # In the second of a change there may be a check by the earlier definition already.
    tick = max(runtime.now, target.updated_at + 1 if target.version > 1 else 0)
    send_jobs(runtime, [single_job(target, tick)])
    key = CheckKey(target.owner, target.lane, tick, region, place)
    deadline = time.monotonic() + min(target.spec.timeout_s + _QUEUE_WAIT_S, _REQUEST_S)
    while time.monotonic() < deadline:
        if found := read_results([key], consistent=True):
            return Check(target.id, tick, region, found[key][place])
        time.sleep(0.1)
    raise UnavailableError("the check is queued but not done yet; see the target's checks")


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
                updating_skip_rules(runtime, owner, is_needed=affects_skipping(owner, target.tags)),
            ):
                Targets(owner).add(target, state, draft.secrets, usage)
        except TransactionConflictError:
            # An earlier request with the same idempotency key may have created it already.
            with suppress(NotFoundError):
                return Targets(owner).get(target_id)
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
        hosts=_host_checks_delta(None, target.spec),
        host_limit=host_limit(limits),
    )


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


def _check_soon(target: Target, send: Callable[[], None]) -> None:
    """Check the target immediately, or at its next tick if the queue fails.

    The target is already stored: an error would make the client store it again.
    """
    try:
        send()
    except (BotoCoreError, ClientError, PynamoDBException, SendError):
        _LOG.exception(
            "immediate check not queued", extra={"owner": target.owner, "target": target.id}
        )


def _host_checks_delta(before: CheckSpec | None, after: CheckSpec | None) -> dict[str, int]:
    """Return by how many checks a day each host's load changes, for the limit per host."""
    hosts: Counter[str] = Counter()
    for spec, sign in ((before, -1), (after, 1)):
        if spec is not None:
            hosts[_checked_host(spec)] += sign * (_DAY_S // spec.interval_s)
    return {name: change for name, change in hosts.items() if change}


def _checked_host(spec: CheckSpec) -> str:
    """Return the normalized name of the host that the checks are sent to."""
    config = spec.config
    if "url" in config:
        return parse_url(config["url"]).host.name
    if resolver := config.get("resolver"):
        return resolver_endpoint(resolver)[0].name
    return parse_host(config["host"]).name
