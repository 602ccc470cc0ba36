"""Derives the skip rules of an owner's lanes from the windows and tags.

They are recomputed after a window that skips, or the tags of a target, have changed. A delayed
message that requests this is sent before the change, in case the process dies after it.
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
from chalicelib.maintenance.occurrences import active_windows
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.skip_rule_repository import LaneRule, SkipRules
from chalicelib.maintenance.window import Mode
from chalicelib.monitoring.alert_messages import SkipRulesJob
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

_LOG = logging.getLogger(__name__)
_DELAY_S = 60
"""Longer than a request can take: by then the change is stored, or its process is dead."""
_ATTEMPTS = 10


@contextmanager
def updating_skip_rules(
    runtime: AwsRuntime, owner: str, *, is_needed: bool = True
) -> Iterator[None]:
    """Request an update of the owner's skip rules for the change that the block makes.

    Raises UnavailableError if the update cannot be guaranteed; nothing has changed then.
    """
    if not is_needed:
        yield
        return
    body = SkipRulesJob(owner).to_json()
    try:
        runtime.alerts.send([Message(body, delay_s=_DELAY_S)])
    except (SendError, BotoCoreError, ClientError) as error:
        raise UnavailableError("the alert queue is unavailable; try again") from error
    yield
    try:
        runtime.alerts.send([Message(body, delay_s=0)])
    except (SendError, BotoCoreError, ClientError):
        _LOG.exception("skip rules are updated in a minute", extra={"owner": owner})


def affects_skipping(owner: str, tags: Sequence[str], before: Sequence[str] = ()) -> bool:
    """Whether the change of a target's tags changes which windows skip it."""
    changed = set(tags) ^ set(before)
    return bool(changed) and any(
        window.mode is Mode.SKIP and not changed.isdisjoint(window.tags)
        for window in Windows(owner).all()
    )


def is_skipped(target: Target, now: int) -> bool:
    """Whether an active window prevents checks of the target."""
    return any(
        window.mode is Mode.SKIP and window.covers(target.id, target.tags)
        for window in active_windows(Windows(target.owner).all(), now)
    )


def update_skip_rules(runtime: AwsRuntime, owner: str) -> int:
    """Recompute the owner's skip rules; returns the number of lanes that were written.

    Windows and targets are read after the lanes' stamps, and rules are only written if the stamp is
    unchanged. So the last writer has seen every change. Raises TransactionConflictError.
    """
    for _ in range(_ATTEMPTS):
        lanes, stored = Lanes(owner).all(), SkipRules(owner)
        expected, current = _expected_rules(runtime, owner), stored.all()
        count = 0
        try:
            for lane in lanes:
                rules = expected.get(lane.number, [])
                if rules != current.get(lane.number, []):
                    stored.write(lane, rules)
                    count += 1
        except TransactionConflictError:
            continue
        return count
    raise TransactionConflictError


def _expected_rules(runtime: AwsRuntime, owner: str) -> Mapping[int, list[LaneRule]]:
    """The rules of each lane with targets that are skipped at some time."""
    windows = [
        window
        for window in Windows(owner).all()
        if window.mode is Mode.SKIP and not window.rule.is_over(runtime.now)
    ]
    covered: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for target_id, lane, tags in Targets(owner).lanes_and_tags() if windows else ():
        for number, window in enumerate(windows):
            if window.covers(target_id, tags):
                covered[lane, number].append(target_id)
    rules: defaultdict[int, list[LaneRule]] = defaultdict(list)
    for (lane, number), target_ids in sorted(covered.items()):
        window = windows[number]
        rules[lane].append(LaneRule(window.rule, window.since, tuple(sorted(target_ids))))
    return rules
