"""What owners do with their status pages; what visitors see of them is in `publishing`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from chalicelib.access.quotas import ATTEMPTS, back_off, raise_if_exceeded
from chalicelib.access.usage import TransactionConflictError, UsageChange, used
from chalicelib.common.errors import ConflictError, Fault, InvalidError, NotFoundError
from chalicelib.common.ids import new_id
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.status_pages.page import MOST_TARGETS, Page, Section
from chalicelib.status_pages.repository import Pages, whose
from chalicelib.status_pages.runtime import PagesRuntime

_BUSY: Final = "the page is being changed by others; try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDraft:
    """A page as its owner describes it, valid by the schema."""

    name: str
    slug: str
    title: str | None = None
    description: str | None = None
    top: Section = field(default_factory=Section)
    sections: Sequence[Section] = ()
    published: bool = False
    show_response_times: bool = True
    history_days: int = 90


def create(
    runtime: PagesRuntime,
    owner: str,
    draft: PageDraft,
    page_id: str | None = None,
    quota: int | None = None,
) -> Page:
    """Store a new page, whose slug is then nobody else's.

    With a `page_id` the page is made once, however often it is asked for; `quota` is how many the
    owner may have, by default the stage's. Raises InvalidError for targets that are not the
    owner's, ConflictError where the slug is taken, QuotaError beyond the quota.
    """
    now = runtime.now
    new = Page(
        owner=owner,
        id=page_id or new_id(runtime.clock()),
        name="",
        slug="",
        created_at=now,
        updated_at=now,
    )
    page = _described(new, draft)
    _admit(page)
    most = runtime.settings.limits.quota_pages if quota is None else quota
    pages, usage = Pages(owner), UsageChange("pages", 1, most)
    for attempt in range(ATTEMPTS):
        try:
            pages.add(page, usage)
        except TransactionConflictError:
            with suppress(NotFoundError):
                return shown(pages.get(page.id))
            raise_if_exceeded(usage, used(owner))
            _refuse_taken(page)
            back_off(attempt)
            continue
        runtime.page_caches.pages.forget(page.slug)
        return page
    raise ConflictError("too many pages are being made at once; try again")


def change(
    runtime: PagesRuntime, owner: str, page_id: str, redraft: Callable[[Page], PageDraft]
) -> Page:
    """Make the page what `redraft` says of it as it is now; what that raises is raised.

    Where it is so already, its version stays. Raises NotFoundError, InvalidError, ConflictError.
    """
    pages = Pages(owner)
    for attempt in range(ATTEMPTS):
        stored = pages.get(page_id)
        before = shown(stored)
        after = _described(before, redraft(before))
        _admit(after, before.target_ids)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, updated_at=runtime.now)
        try:
            pages.change(stored, after)
        except TransactionConflictError:
            if after.slug != stored.slug:
                _refuse_taken(after)
            back_off(attempt)
            continue
        for slug in (stored.slug, after.slug):
            runtime.page_caches.pages.forget(slug)
        return after
    raise ConflictError(_BUSY)


def remove(runtime: PagesRuntime, owner: str, page_id: str, allow: Callable[[Page], None]) -> None:
    """Delete the page, if `allow` does not raise; its slug is free again. Raises NotFoundError."""
    pages = Pages(owner)
    for attempt in range(ATTEMPTS):
        before = pages.get(page_id)
        allow(before)
        try:
            pages.remove(before, UsageChange("pages", -1))
        except TransactionConflictError:
            back_off(attempt)
            continue
        runtime.page_caches.pages.forget(before.slug)
        return
    raise ConflictError(_BUSY)


def get(owner: str, page_id: str) -> Page:
    """The page; raises NotFoundError."""
    return shown(Pages(owner).get(page_id))


def page_of_pages(owner: str, after: str | None, limit: int) -> tuple[list[Page], str | None]:
    """Up to `limit` pages after the id `after`, oldest first, and the id to go on from."""
    left = [one for one in Pages(owner).all() if after is None or one.id > after]
    found = left[:limit]
    there = Targets(owner).some({one for page in found for one in page.target_ids})
    pages = [_without_deleted(page, there) for page in found]
    return pages, left[limit - 1].id if len(left) > limit else None


def shown(page: Page) -> Page:
    """The page as its owner sees it: targets that were deleted are not on it any more."""
    return _without_deleted(page, Targets(page.owner).some(page.target_ids))


def _without_deleted(page: Page, there: Mapping[str, object]) -> Page:
    def kept(part: Section) -> Section:
        return replace(part, target_ids=tuple(one for one in part.target_ids if one in there))

    return replace(page, top=kept(page.top), sections=tuple(map(kept, page.sections)))


def _described(page: Page, draft: PageDraft) -> Page:
    return replace(
        page,
        name=draft.name,
        slug=draft.slug,
        title=draft.title,
        description=draft.description,
        top=draft.top,
        sections=tuple(draft.sections),
        published=draft.published,
        show_response_times=draft.show_response_times,
        history_days=draft.history_days,
    )


def _admit(page: Page, known: Sequence[str] = ()) -> None:
    """Refuse targets that are not there, or another owner's: the two look the same."""
    new = set(page.target_ids) - set(known)
    found = Targets(page.owner).some(new) if new else {}
    faults = tuple(_faults(page, new - set(found)))
    if faults:
        raise InvalidError("the page cannot be", faults)


def _faults(page: Page, missing: set[str]) -> Iterator[Fault]:
    if len(page.target_ids) > MOST_TARGETS:
        yield Fault(("body", "target_ids"), f"a page shows {MOST_TARGETS} targets at most")
    ways: list[tuple[str | int, ...]] = [("body",)]
    ways += [("body", "sections", number) for number in range(len(page.sections))]
    for way, part in zip(ways, page.parts, strict=True):
        for place, target_id in enumerate(part.target_ids):
            if target_id in missing:
                yield Fault((*way, "target_ids", place), "there is no such target")


def _refuse_taken(page: Page) -> None:
    """Raise ConflictError where another page has the slug, whoever's it is."""
    found = whose(page.slug, consistent=True)
    if found is not None and found != (page.owner, page.id):
        text = f"the slug {page.slug!r} is taken"
        raise ConflictError(text, (Fault(("body", "slug"), text),))
