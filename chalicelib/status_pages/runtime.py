"""The runtime that status pages require, and the caches that many visitors share."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # For types only: requests of owners must not load what only visitors need.
    from chalicelib.status_pages.view import Day, StatusPage

VIEW_S: Final = 15
"""How long a built page is served."""
DAYS_S: Final = 3_600
"""How long settled days are cached. Late results can still change them."""
TAGGED_S: Final = 300
"""The longest delay before a newly tagged target appears. Untagged targets disappear at once."""
Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """Values by key, each for `ttl_s` seconds, and at most `max_size` of them."""

    def __init__(self, clock: Callable[[], float], ttl_s: int, max_size: int) -> None:
        self._clock, self._ttl_s, self._max_size = clock, ttl_s, max_size
        self._entries: dict[Hashable, tuple[float, Value]] = {}

    def get(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """Return the cached value, or build and cache it."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is None or now >= entry[0] + self._ttl_s:
            entry = (now, build())
            # Reinsert the key, so that the first keys are the oldest, and evict those.
            self.discard(key)
            for oldest in list(self._entries)[: len(self._entries) + 1 - self._max_size]:
                self.discard(oldest)
            self._entries[key] = entry
        return entry[1]

    def discard(self, key: Hashable) -> None:
        self._entries.pop(key, None)


class PageCaches:
    """Pages by slug, the settled days of their targets, and the targets with their tags.

    The service discards a page that this process changes, so that the change is visible at once.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.pages: TtlCache[StatusPage] = TtlCache(clock, VIEW_S, 32)
        self.days: TtlCache[dict[str, list[Day]]] = TtlCache(clock, DAYS_S, 16)
        self.tagged: TtlCache[dict[str, tuple[str, ...]]] = TtlCache(clock, TAGGED_S, 64)


class PagesRuntime(AwsRuntime, Protocol):
    """Adds the caches that pages are served from."""

    @property
    def page_caches(self) -> PageCaches: ...
