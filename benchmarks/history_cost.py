"""What an hour of history costs: folding it, and a look at every target's statistics once a day."""

from collections.abc import Callable, Sequence
from functools import partial
from unittest.mock import patch

from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.history import dispatch as rollups_dispatch
from chalicelib.history.background_handler import run_background
from chalicelib.history.rollups import worker as rollups_worker
from chalicelib.history.rollups.job import RollupJob
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.history.service import statistics
from chalicelib.monitoring import schedule
from chalicelib.monitoring.result import CheckResult, Timings, Verdict
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from chalicelib.monitoring.storage.schedule_repository import advance_rollup_cursor
from chalicelib.monitoring.target import Target
from chalicelib.runtime import Runtime

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
            rollups_worker.roll_up_lane(runtime, RollupJob(owner, lane, spans))
    with acting_as_system():
        advance_rollup_cursor(hour - HOUR_S)


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
    run(partial(rollups_dispatch.fan_out, runtime))
    for event in runtime.functions.started:  # type: ignore[attr-defined]  # the same
        assert run(partial(run_background, runtime, event))
    asked = targets[: max(1, round(len(targets) / 24))]
    # Side by side the meter could not tell whose answer is whose.
    one_by_one = patch(
        "chalicelib.history.reader.run_parallel", lambda calls: [call() for call in calls]
    )
    with acting_for(owner), one_by_one:
        for target in asked:
            span = (runtime.now - DAY_S, runtime.now)
            found = run(partial(statistics, runtime, owner, [target], span))
            assert found
