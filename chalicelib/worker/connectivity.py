"""Whether this machine reaches anything at all: places that answer whenever the network does."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

_TRUSTED_S: Final = 20.0
_LOG = logging.getLogger(__name__)
Place = tuple[str, int]


class ConnectivityCheck:
    """Some hosts and ports that accept connections; without any, all is taken for well.

    `connects` says whether one of them does. That one was reached is believed for some seconds;
    that none was is asked again each time.
    """

    def __init__(
        self,
        places: Sequence[Place],
        connects: Callable[[Sequence[Place]], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._connects = connects
        self._clock = clock
        self._reached_at = -_TRUSTED_S

    def is_reached(self) -> bool:
        """Whether at least one accepts a connection."""
        if not self._places or self._clock() < self._reached_at + _TRUSTED_S:
            return True
        if self._connects(self._places):
            self._reached_at = self._clock()
            return True
        _LOG.warning("no canary is reached", extra={"canaries": len(self._places)})
        return False
