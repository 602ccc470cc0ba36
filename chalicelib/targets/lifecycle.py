"""Storing changed and deleted targets together with their places; an open incident is closed.

Such a write may be the last one to its lane for a long time. A message that flushes the lane's
outbox a minute later is sent before it, so that the flips go out even if this process dies after
the write.
"""

import logging
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.access.usage import TransactionConflictError, UsageChange
from chalicelib.aws.sqs import SendError
from chalicelib.common.errors import UnavailableError
from chalicelib.history.erasure_repository import ordered
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.lane import Definition
from chalicelib.monitoring.outbox import flush, flush_later
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State, pause, resume
from chalicelib.monitoring.storage.lane_repository import Lanes, PlaceUpdate
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.targets.runtime import TargetsRuntime

_LOG = logging.getLogger(__name__)


def store_change(
    runtime: TargetsRuntime,
    before: Target,
    after: Target,
    secrets: Secrets | None,
    usage: UsageChange,
    apart_until: int = 0,
) -> Target:
    """Store a changed target and return it.

    A change of what is checked is also stored in its place, as the definition that counts from now
    on; `apart_until` as in `Definition`. Raises TransactionConflictError if `before` is outdated.
    """
    targets = Targets(before.owner)
    if after.spec == before.spec and after.enabled == before.enabled and secrets is None:
        targets.change(before, after, place_update=None, secrets=None, usage=usage)
        return after
    update, state = _current(after)
    definition = _next(update, runtime.now, apart_until)
    update = replace(update, definition=definition)
    update = _switched(update, state, runtime.now, enabled=after.enabled)
    after = _redefined(after, definition.version, secrets)
    _announce(runtime, update)
    targets.change(before, after, place_update=update, secrets=secrets, usage=usage)
    if update.changes_state:
        _settle(runtime, update)
    return after


def store_removal(runtime: TargetsRuntime, target: Target, usage: UsageChange) -> None:
    """Delete a target and free its place.

    Raises TransactionConflictError if `target` is outdated.
    """
    update = _freed(runtime, target)
    _announce(runtime, update)
    Targets(target.owner).remove(target, update, ordered(target, runtime.now), usage)
    _settle(runtime, update)


def _redefined(after: Target, version: int, secrets: Secrets | None) -> Target:
    """Return a changed target with the version of its new definition."""
    secrets_version = after.spec.secrets_version if secrets is None else version
    spec = replace(after.spec, version=version, secrets_version=secrets_version)
    return replace(after, spec=spec)


def _next(update: PlaceUpdate, now: int, apart_until: int) -> Definition:
    """Return the definition that follows the one in a place."""
    before = update.lane.definition_of(update.place)
    if before.apart_until > now:
        apart_until = max(apart_until, before.apart_until)
    return Definition(before.next_version(now), apart_until)


def _switched(update: PlaceUpdate, state: State, now: int, *, enabled: bool) -> PlaceUpdate:
    """Return the update with the state of a paused or resumed target."""
    if enabled:
        return replace(update, state=resume(state, now))
    paused, flip = pause(state, now)
    entries = [Entry(target_id=update.target_id, flip=flip)] if flip else []
    return replace(update, state=paused, entries=entries)


def _freed(runtime: TargetsRuntime, target: Target) -> PlaceUpdate:
    """Return the update that frees the place of a deleted target."""
    update, state = _current(target)
    _, flip = pause(state, runtime.now)
    # The name goes with the flip, as the alert is sent after the target is gone.
    entries = [Entry(target_id=target.id, flip=flip, name=target.name)] if flip else []
    return replace(update, state=None, entries=entries)


def _current(target: Target) -> tuple[PlaceUpdate, State]:
    """Return the target's place and state; raises TransactionConflictError if it has none."""
    lane = Lanes(target.owner).get(target.lane)
    state = lane.state_of(target.id, target.spec.place)
    if state is None:
        raise TransactionConflictError
    return PlaceUpdate(lane, target.id, target.spec.place, state), state


def _announce(runtime: TargetsRuntime, update: PlaceUpdate) -> None:
    """Schedule a flush of the outbox, before the write that fills it."""
    if not update.entries:
        return
    try:
        flush_later(runtime, update.lane.owner, update.lane.number)
    except (SendError, BotoCoreError, ClientError) as error:
        raise UnavailableError("the alert queue is not available; try again") from error


def _settle(runtime: TargetsRuntime, update: PlaceUpdate) -> None:
    """Send the flips, after the write; if that fails the scheduled flush sends them."""
    try:
        flush(runtime, update.after)
    except Exception:  # noqa: BLE001 - the change is stored, so the request succeeds
        _LOG.exception("outbox not sent", extra={"owner": update.lane.owner})
