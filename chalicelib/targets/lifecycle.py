"""Pausing, resuming and deleting targets, as their lanes see it: an open incident is closed.

Such a write may be the last one of its lane. So that its flips are not left in the outbox if this
process dies after it, a message that looks for them a minute later is sent before it.
"""

import logging
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.access.usage import TransactionConflictError, UsageChange
from chalicelib.aws.sqs import SendError
from chalicelib.common.errors import UnavailableError
from chalicelib.history.erasure_repository import ordered
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.outbox import flush, flush_later
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import pause, resume
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
) -> None:
    """Store a changed target, and its place too if it was switched; raises ChangedError."""
    if after.enabled == before.enabled:
        Targets(before.owner).change(before, after, place_update=None, secrets=secrets, usage=usage)
        return
    place_update = _switched(runtime, after)
    _announce(runtime, place_update)
    Targets(before.owner).change(
        before, after, place_update=place_update, secrets=secrets, usage=usage
    )
    _settle(runtime, place_update)


def store_removal(runtime: TargetsRuntime, target: Target, usage: UsageChange) -> None:
    """Delete a target and free its place; raises ChangedError if `target` is outdated."""
    place_update = _freed(runtime, target)
    _announce(runtime, place_update)
    Targets(target.owner).remove(target, place_update, ordered(target, runtime.now), usage)
    _settle(runtime, place_update)


def _switched(runtime: TargetsRuntime, after: Target) -> PlaceUpdate:
    """The place of a target that is paused or resumed; raises ChangedError where it has none."""
    place_update = _found(after)
    state = place_update.state
    assert state
    if after.enabled:
        return replace(place_update, state=resume(state, runtime.now))
    paused, flip = pause(state, runtime.now)
    entries = [Entry(target_id=after.id, flip=flip)] if flip else []
    return replace(place_update, state=paused, entries=entries)


def _freed(runtime: TargetsRuntime, target: Target) -> PlaceUpdate:
    """The place of a target that is deleted; raises ChangedError where it has none."""
    place_update = _found(target)
    assert place_update.state
    _, flip = pause(place_update.state, runtime.now)
    entries = [Entry(target_id=target.id, flip=flip, name=target.name)] if flip else []
    return replace(place_update, state=None, entries=entries)


def _announce(runtime: TargetsRuntime, place_update: PlaceUpdate) -> None:
    """Before the write: should this process die after it, its flips are sent all the same."""
    if not place_update.entries:
        return
    try:
        flush_later(runtime, place_update.lane.owner, place_update.lane.number)
    except (SendError, BotoCoreError, ClientError) as error:
        raise UnavailableError("the queue of the alerts does not answer; try again") from error


def _settle(runtime: TargetsRuntime, place_update: PlaceUpdate) -> None:
    """After the write: send its flips; what cannot be sent now is sent in a minute."""
    try:
        flush(runtime, place_update.after)
    except Exception:  # noqa: BLE001 - what is written is done, whatever comes after
        _LOG.exception("outbox not sent", extra={"owner": place_update.lane.owner})


def _found(target: Target) -> PlaceUpdate:
    lane = Lanes(target.owner).get(target.lane)
    state = lane.state_of(target.id, target.spec.place)
    if state is None:
        raise TransactionConflictError
    return PlaceUpdate(lane, target.id, target.spec.place, state)
