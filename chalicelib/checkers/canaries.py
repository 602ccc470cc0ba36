"""Whether this machine reaches anything at all: places that answer whenever the network does."""

import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

_TIMEOUT_S: Final = 2.0
_TRUSTED_S: Final = 20.0
_LOG = logging.getLogger(__name__)


class Canaries:
    """Some `host:port` that are known to accept connections; without any, all is taken for well.

    That one was reached is believed for some seconds; that none was is asked again each time.
    """

    def __init__(self, places: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._reached_at = -_TRUSTED_S

    def is_reached(self) -> bool:
        """Whether at least one accepts a connection."""
        if not self._places or self._clock() < self._reached_at + _TRUSTED_S:
            return True
        if any(map(_accepts, self._places)):
            self._reached_at = self._clock()
            return True
        return False


def _accepts(place: str) -> bool:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        _LOG.warning("canary not reached", extra={"canary": place, "reason": str(error)})
        return False
    return True
