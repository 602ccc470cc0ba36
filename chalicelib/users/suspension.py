"""What a disabled user's targets and channels do: they rest.

Whether they do stands in the lane, which every check reads, and in the channel, which every alert
reads: so that it costs nothing. Nothing else is changed: states, incidents and pauses are what they
were when the user is enabled again.
"""

from collections.abc import Callable
from functools import partial

from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.common.parallel import run_parallel
from chalicelib.monitoring.storage.lane_repository import Lanes


def rest(owner: str, *, rests: bool) -> None:
    """Have all lanes and channels of the owner rest, or wake them; repeating it is harmless.

    A write for each lane, so for fifty targets, and for each channel.
    """
    lanes, channels = Lanes(owner), Channels(owner)
    calls: list[Callable[[], None]] = [
        *(partial(lanes.rest, lane.number, rests=rests) for lane in lanes.all()),
        *(partial(channels.rest, channel.id, rests=rests) for channel in channels.all()),
    ]
    run_parallel(calls)
