"""What a process keeps of status pages for a while, so that many visitors cost what few cost."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from chalicelib.status_pages.view import Day, StatusPage

VIEW_S: Final = 15
"""For how long a page is shown as it was made; the same for whoever looks."""
DAYS_S: Final = 3_600
"""For how long days that are over are taken as they were read: late results still change some."""
TAGGED_S: Final = 300
"""How soon at the latest a target with a page's tag is found; one that loses it goes at once."""
Thing = TypeVar("Thing")


class ViewCache(Generic[Thing]):
    """Things by key, each for `lasts_s` seconds, the newest `most` of them."""

    def __init__(self, clock: Callable[[], float], lasts_s: int, most: int) -> None:
        self._clock, self._lasts_s, self._most = clock, lasts_s, most
        self._things: dict[Hashable, tuple[float, Thing]] = {}

    def get(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        """The thing under the key, made where there is none or it is too old."""
        now = self._clock()
        made_at, thing = self._things.get(key, (None, None))
        if made_at is None or thing is None or now >= made_at + self._lasts_s:
            thing = make()
            self.forget(key)
            for oldest in list(self._things)[: len(self._things) + 1 - self._most]:
                self.forget(oldest)
            self._things[key] = (now, thing)
        return thing

    def forget(self, key: Hashable) -> None:
        """Have it made anew."""
        self._things.pop(key, None)


class PageCaches:
    """Pages by slug, the days of their targets that are over, and who has their tags.

    Nothing is read where it is kept. A change that is made by this process shows at once.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.pages: ViewCache[StatusPage] = ViewCache(clock, VIEW_S, 32)
        self.days: ViewCache[dict[str, list[Day]]] = ViewCache(clock, DAYS_S, 16)
        self.tagged: ViewCache[dict[str, tuple[str, ...]]] = ViewCache(clock, TAGGED_S, 64)
