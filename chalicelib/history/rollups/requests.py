"""Requests to roll up periods of a lane again, stored until the next hourly run."""

from collections.abc import Iterable, Iterator

from chalicelib.common.intervals import Span
from chalicelib.history.models import RollupRequestItem
from chalicelib.monitoring.storage.models import LaneItem

_SHARD = "rollup"


def request_rollups(owner: str, lane: int, spans: Iterable[Span]) -> None:
    """Store a request for each span, in epoch seconds. Repeated requests are stored once."""
    for start, end in spans:
        item = RollupRequestItem(owner, f"{_SHARD}:{lane:04d}:{start}:{end}")
        item.update([RollupRequestItem.shard.set(_SHARD)])


def all_requests() -> Iterator[str]:
    """Every stored request, `owner#key`; for the system scope."""
    for item in LaneItem.shards_index.query(_SHARD, page_size=1000):
        yield f"{item.owner}#{item.key}"
