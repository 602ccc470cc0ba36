"""The agreed results of several regions: for states at once, for statistics later.

Each region stores its results separately. A worker that has written its own reads those of the
others; the one that completes a quorum updates the states.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.common.settings import Settings
from chalicelib.monitoring.quorum import agreed_index
from chalicelib.monitoring.result import VERDICTS, CheckResult, Sample
from chalicelib.monitoring.storage.result_repository import CheckKey, LaneResults, read_results

Results = Mapping[int, CheckResult]


def agreed_results(runtime: AwsRuntime, key: CheckKey, own: Results) -> Results:
    """The results that count for the tick of `key`, by place, after this region wrote its `own`.

    Places with too few reports are left out. With a single region nothing is read.
    """
    settings = runtime.settings
    if not settings.further_regions:
        return own
    keys = [replace(key, region=region) for region in settings.check_regions]
    found = read_results(keys, consistent=True)
    agreed = {}
    for place in own:
        reported = [found[one][place] for one in keys if place in found.get(one, ())]
        verdicts = [result.verdict for result in reported]
        index = agreed_index(verdicts, len(keys), settings.check_quorum)
        if index is not None:
            agreed[place] = reported[index]
    return agreed


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
