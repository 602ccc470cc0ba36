"""What the regions that check a target agree on: for its state at once, for statistics later.

Each region's results stand by themselves under its name. A worker that has written its own reads
those of the others: the last one that is needed finds enough of them, and moves the states.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.common.settings import Settings
from chalicelib.monitoring.quorum import agreed
from chalicelib.monitoring.result import VERDICTS, CheckResult, Sample
from chalicelib.monitoring.storage.result_repository import CheckKey, LaneResults, read_results

Results = Mapping[int, CheckResult]


def agreed_results(runtime: AwsRuntime, key: CheckKey, own: Results) -> Results:
    """By place, what stands for the tick of `key` now that this region has written its `own`.

    Places on which too few have reported are left out. With one region its own stand, unread.
    """
    settings = runtime.settings
    if not settings.further_regions:
        return own
    keys = [replace(key, region=region) for region in settings.check_regions]
    found = read_results(keys, consistent=True)
    stands = {}
    for place in own:
        said = [found[one][place] for one in keys if place in found.get(one, ())]
        at = agreed([result.verdict for result in said], len(keys), settings.check_quorum)
        if at is not None:
            stands[place] = said[at]
    return stands


def samples_by_tick(
    settings: Settings, stored: Iterable[LaneResults]
) -> Iterator[tuple[int, int, Iterable[tuple[int, Sample]]]]:
    """Stored results, oldest first, as `(tick, items, [(place, sample), ...])`.

    Of several regions the sample is one that they agree on, by those that reported; the home
    region's where it is among them.
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
    for place, said in by_place.items():
        verdicts = [VERDICTS[sample.verdict] for sample in said]
        at = agreed(verdicts, len(verdicts), settings.check_quorum)
        yield place, said[at or 0]
