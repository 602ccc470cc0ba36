"""The agreed verdict of several regions at one tick.

The network between one region and a target can fail while the target is up. So with several
regions, a target is DOWN only if a quorum of them says so.
"""

from collections.abc import Sequence

from chalicelib.monitoring.result import Verdict

_ANSWERED = (Verdict.UP, Verdict.DEGRADED)


def agreed_index(
    verdicts: Sequence[Verdict], regions: int, quorum: int | None = None
) -> int | None:
    """The index of the verdict that counts for the tick, None while too few regions reported.

    `verdicts` are those reported so far, out of `regions`. `quorum` regions make DOWN, by default
    at least half of the voters: UNKNOWN is not a vote, and counts only if all regions report it.
    DEGRADED needs as many; otherwise the verdict is UP, as the target answered. Later reports never
    change whether the tick is DOWN.
    """
    voters = regions - sum(verdict is Verdict.UNKNOWN for verdict in verdicts)
    if not voters:
        return 0
    needed = min(quorum or -(-voters // 2), voters)
    down = [at for at, verdict in enumerate(verdicts) if verdict is Verdict.DOWN]
    answered = [at for at, verdict in enumerate(verdicts) if verdict in _ANSWERED]
    if len(down) >= needed:
        return down[0]
    if len(answered) <= voters - needed:
        return None
    degraded = [at for at in answered if verdicts[at] is Verdict.DEGRADED]
    if len(degraded) >= needed:
        return degraded[0]
    up = [at for at in answered if verdicts[at] is Verdict.UP]
    return up[0] if up else degraded[0]
