"""What an hour of history costs: folding it, and a look at every target's statistics once a day."""

from collections.abc import Callable, Sequence
from functools import partial
from unittest.mock import patch

from chalicelib.domain import schedule
from chalicelib.domain.folds import Fold
from chalicelib.domain.results import CheckResult, Timings, Verdict
from chalicelib.domain.rollup import DAY_S, HOUR_S
from chalicelib.domain.targets import Target
from chalicelib.services import fanning, folding
from chalicelib.services.background import run_background
from chalicelib.services.runtime import Runtime
from chalicelib.services.stats import statistics
from chalicelib.store.results import CheckKey, write_results
from chalicelib.store.schedule import advance_folded
from chalicelib.store.tripwire import acting_as_system, acting_for

KEPT_S = 27 * HOUR_S
"""As far back as an hour's messages reach."""
Run = Callable[[Callable[[], object]], object]


def keep_history(runtime: Runtime, owner: str, targets: Sequence[Target]) -> None:
    """Have the results of the hours before now, and what was folded of them an hour ago."""
    now = runtime.now
    lanes: dict[int, list[int]] = {}
    for target in targets:
        lanes.setdefault(target.lane, []).append(target.spec.place)
    hour = now // HOUR_S * HOUR_S
    with acting_for(owner):
        for lane, places in lanes.items():
            offset = schedule.offset(owner, lane)
            for tick in schedule.ticks_in(60, offset, now - KEPT_S, now):
                key = CheckKey(owner, lane, tick, runtime.settings.region)
                results = {place: _answer(tick, place) for place in places}
                intervals_s = dict.fromkeys(places, 60)
                write_results(key, results, retention_days=90, intervals_s=intervals_s)
            spans = [(now - KEPT_S, hour - HOUR_S)]
            folding.fold_lane(runtime, Fold(owner, lane, spans))
    with acting_as_system():
        advance_folded(hour - HOUR_S)


def _answer(tick: int, place: int) -> CheckResult:
    """Some 150 ms, now more, now less."""
    return CheckResult(Verdict.UP, status_code=200, timings=Timings(body=120 + tick * place % 67))


def live_an_hour(
    runtime: Runtime,
    owner: str,
    targets: Sequence[Target],
    run: Run,
) -> None:
    """The hour's folds, and the day's statistics of each twenty-fourth target."""
    runtime.clock.time += 300  # type: ignore[attr-defined]  # the benchmark's own clock
    run(partial(fanning.fan_out, runtime))
    for event in runtime.functions.started:  # type: ignore[attr-defined]  # the same
        assert run(partial(run_background, runtime, event))
    asked = targets[: max(1, round(len(targets) / 24))]
    # Side by side the meter could not tell whose answer is whose.
    one_by_one = patch(
        "chalicelib.services.lanehistory.side_by_side", lambda calls: [call() for call in calls]
    )
    with acting_for(owner), one_by_one:
        for target in asked:
            span = (runtime.now - DAY_S, runtime.now)
            found = run(partial(statistics, runtime, owner, [target], span))
            assert found
