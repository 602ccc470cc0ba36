"""The agreed results of several regions: for states at once, for statistics later.

Each region stores its results separately. A worker that has written its own reads those of the
others; the one that completes a quorum updates the states. A region that has been silent for three
intervals does not count until it reports again, so that it does not keep states from changing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.common.metrics import report_error
from chalicelib.common.settings import Settings
from chalicelib.monitoring.quorum import agreed_index
from chalicelib.monitoring.result import VERDICTS, CheckResult, Sample
from chalicelib.monitoring.storage.result_repository import CheckKey, LaneResults, read_results

Results = Mapping[int, CheckResult]
SILENT_INTERVALS: Final = 3


def agreed_results(
    runtime: AwsRuntime, key: CheckKey, own: Results, intervals_s: Mapping[int, int]
) -> Results:
    """The results that count for the tick of `key`, by place, after this region wrote its `own`.

    Places with too few reports are left out. With a single region nothing is read. `intervals_s`
    has the intervals of the places whose state `own` would change: only for these it is worth
    finding out whether a missing region has been silent.
    """
    settings = runtime.settings
    if not settings.further_regions:
        return own
    keys = [replace(key, region=region) for region in settings.check_regions]
    found = read_results(keys, consistent=True)
    reported = {
        place: [found[one][place] for one in keys if place in found.get(one, ())] for place in own
    }
    agreed = _agreed(settings, reported, dict.fromkeys(own, len(keys)))
    undecided = {place: of for place, of in intervals_s.items() if place not in agreed}
    missing = [one for one in keys if one not in found]
    silent = _silent_regions(key, missing, undecided) if undecided and missing else {}
    if not silent:
        return agreed
    names = sorted({region for of_place in silent.values() for region in of_place})
    report_error(runtime, "RegionsSilent", "regions are silent", regions=names)
    speaking = {place: len(keys) - len(of_place) for place, of_place in silent.items()}
    return agreed | _agreed(settings, reported, speaking)


def _agreed(
    settings: Settings, reported: Mapping[int, Sequence[CheckResult]], regions: Mapping[int, int]
) -> dict[int, CheckResult]:
    """The agreed results of the places in `regions`, which has the number of regions that count."""
    agreed = {}
    for place, of_regions in regions.items():
        verdicts = [result.verdict for result in reported.get(place, ())]
        index = agreed_index(verdicts, of_regions, settings.check_quorum)
        if index is not None and verdicts:
            agreed[place] = reported[place][index]
    return agreed


def _silent_regions(
    key: CheckKey, missing: Sequence[CheckKey], intervals_s: Mapping[int, int]
) -> dict[int, list[str]]:
    """The regions of `missing` that did not report a place for three intervals, by place.

    Ticks count only if this region has checked the place at them: without that, for example with a
    new target, nobody could have reported.
    """
    ticks = {
        place: [key.tick - interval_s * back for back in range(1, SILENT_INTERVALS + 1)]
        for place, interval_s in intervals_s.items()
    }

    def keys_of(region: str, tick: int, place: int) -> list[CheckKey]:
        # The first ticks of a new target are checked outside its lane.
        return [replace(key, tick=tick, region=region, place=one) for one in (None, place)]

    regions = [key.region, *(one.region for one in missing)]
    found = read_results(
        {
            one
            for place, of_place in ticks.items()
            for tick in of_place
            for region in regions
            for one in keys_of(region, tick, place)
        },
        consistent=True,
    )

    def has_reported(region: str, tick: int, place: int) -> bool:
        return any(place in found.get(one, ()) for one in keys_of(region, tick, place))

    silent = {
        place: [
            one.region
            for one in missing
            if all(has_reported(key.region, tick, place) for tick in of_place)
            and not any(has_reported(one.region, tick, place) for tick in of_place)
        ]
        for place, of_place in ticks.items()
    }
    return {place: names for place, names in silent.items() if names}


def samples_by_tick(
    settings: Settings, stored: Iterable[LaneResults]
) -> Iterator[tuple[int, int, Iterable[tuple[int, Sample]]]]:
    """Stored results, oldest first, as `(tick, number of items, [(place, sample), ...])`.

    With several regions, each sample is one that the reporting regions agree on, preferably the
    home region's.
    """
    for tick, items in groupby(stored, key=lambda one: one.tick):
        first, *others = items
        if others:
            yield tick, 1 + len(others), _agreed_samples(settings, [first, *others])
        else:
            yield tick, 1, first.samples()


def _agreed_samples(settings: Settings, items: list[LaneResults]) -> Iterator[tuple[int, Sample]]:
    by_place: defaultdict[int, list[Sample]] = defaultdict(list)
    for item in sorted(items, key=lambda one: (one.region != settings.home_region, one.region)):
        for place, sample in item.samples():
            by_place[place].append(sample)
    for place, reported in by_place.items():
        verdicts = [VERDICTS[sample.verdict] for sample in reported]
        index = agreed_index(verdicts, len(verdicts), settings.check_quorum)
        yield place, reported[index or 0]
