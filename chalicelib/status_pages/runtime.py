"""What status pages need of a process."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # Types only: a start must not load what only its first event needs.
    from chalicelib.status_pages.cache import PageCaches


class PagesRuntime(AwsRuntime, Protocol):
    """The cache that pages are served from."""

    @property
    def page_caches(self) -> "PageCaches": ...
