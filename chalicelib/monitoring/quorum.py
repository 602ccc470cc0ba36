"""What the checks of several regions at one tick agree on.

A network between one region and a target can break without the target being down. So where targets
are checked from several regions, DOWN is what a quorum of them says.
"""

from collections.abc import Sequence

from chalicelib.monitoring.result import Verdict

_ANSWERED = (Verdict.UP, Verdict.DEGRADED)


def agreed(verdicts: Sequence[Verdict], regions: int, quorum: int | None = None) -> int | None:
    """The index of the verdict that stands for the tick, None while too few regions have spoken.

    `verdicts` are those of the regions that have, of `regions` that were asked. `quorum` regions
    make DOWN, by default at least half of those that can tell: UNKNOWN is no vote, and stands only
    where all regions say it. Without DOWN, DEGRADED needs as many, else it is UP, in which the
    target answered. What is agreed once stays agreed, whatever the others say later.
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
