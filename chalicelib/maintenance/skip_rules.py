"""Lays calendars beside an owner's lanes: which of their targets are not checked when.

They are made anew when a skipping window or the tags of a target change. A message that has it done
in a minute is sent before the change: should this process die after it, it is done all the same.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.access.usage import TransactionConflictError
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message, SendError
from chalicelib.common.errors import UnavailableError
from chalicelib.maintenance.occurrences import current
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.skip_rule_repository import LaneRule, SkipRules
from chalicelib.maintenance.window import Mode, Window
from chalicelib.monitoring.alert_messages import SkipRulesJob
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 60
"""Longer than a request lives: by then the change is stored, or its process is dead."""
_ATTEMPTS = 10


@contextmanager
def changes_skip_rules(
    runtime: AwsRuntime, owner: str, *, is_needed: bool = True
) -> Iterator[None]:
    """Have the owner's calendars made anew for the change inside the block.

    Raises UnavailableError where that could not be promised; then nothing was changed.
    """
    if not is_needed:
        yield
        return
    try:
        _send(runtime, owner, _PATIENCE_S)
    except (SendError, BotoCoreError, ClientError) as error:
        raise UnavailableError("the queue of the alerts does not answer; try again") from error
    yield
    try:
        _send(runtime, owner, 0)
    except (SendError, BotoCoreError, ClientError):
        _LOG.exception("calendars are made in a minute", extra={"owner": owner})


def concerns_skipping(owner: str, tags: Sequence[str], before: Sequence[str] = ()) -> bool:
    """Whether other windows than before keep a target with these tags from being checked."""
    changed = set(tags) ^ set(before)
    return bool(changed) and any(
        window.mode is Mode.SKIP and not changed.isdisjoint(window.tags)
        for window in Windows(owner).all()
    )


def is_skipped(target: Target, now: int) -> bool:
    """Whether a window keeps the target from being checked now."""
    return any(
        window.mode is Mode.SKIP and window.covers(target.id, target.tags)
        for window in current(Windows(target.owner).all(), now)
    )


def arrange(runtime: AwsRuntime, owner: str) -> int:
    """Make the owner's calendars anew; returns how many lanes had to be written.

    Windows and targets are read after the lanes' stamps, and a calendar is written only over the
    stamp that was read: so whoever writes last has seen every change. Raises ChangedError.
    """
    for _ in range(_ATTEMPTS):
        lanes, calendars = Lanes(owner).all(), SkipRules(owner)
        wanted, known = _wanted(runtime, owner), calendars.all()
        count = 0
        try:
            for lane in lanes:
                rules = wanted.get(lane.number, [])
                if rules != known.get(lane.number, []):
                    calendars.write(lane, rules)
                    count += 1
        except TransactionConflictError:
            continue
        return count
    raise TransactionConflictError


def _wanted(runtime: AwsRuntime, owner: str) -> Mapping[int, list[LaneRule]]:
    """The rules of each lane in which a target is skipped at times."""
    now = runtime.now
    windows = [
        window
        for window in Windows(owner).all()
        if window.mode is Mode.SKIP and not window.rule.is_over(now)
    ]
    found: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for target_id, lane, tags in Targets(owner).lanes_and_tags() if windows else ():
        for number, window in enumerate(windows):
            if window.covers(target_id, tags):
                found[lane, number].append(target_id)
    wanted: defaultdict[int, list[LaneRule]] = defaultdict(list)
    for (lane, number), target_ids in sorted(found.items()):
        wanted[lane].append(_rule(windows[number], target_ids))
    return wanted


def _rule(window: Window, target_ids: Sequence[str]) -> LaneRule:
    return LaneRule(window.rule, window.since, tuple(sorted(target_ids)))


def _send(runtime: AwsRuntime, owner: str, delay_s: int) -> None:
    runtime.alerts.send([Message(SkipRulesJob(owner).to_json(), delay_s=delay_s)])
