"""Create, read, change and delete an owner's status pages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from chalicelib.access.quotas import ATTEMPTS, back_off, raise_if_exceeded
from chalicelib.access.usage import TransactionConflictError, UsageChange, used
from chalicelib.common.errors import ConflictError, Fault, InvalidError, NotFoundError
from chalicelib.common.ids import new_id
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.status_pages.page import MAX_TARGETS, Page, PageDraft, Section
from chalicelib.status_pages.repository import Pages, find_slug
from chalicelib.status_pages.runtime import PagesRuntime

_BUSY: Final = "the page is being changed by other requests; try again"


def create(
    runtime: PagesRuntime,
    owner: str,
    draft: PageDraft,
    page_id: str | None = None,
    quota: int | None = None,
) -> Page:
    """Create a page and claim its slug.

    With a `page_id`, repeated calls create the page only once. `quota` overrides the stage's.
    Raises InvalidError for targets that the owner does not have, ConflictError if the slug is in
    use, and QuotaError beyond the quota.
    """
    now = runtime.now
    page = Page(
        owner=owner,
        id=page_id or new_id(runtime.clock()),
        name=draft.name,
        slug=draft.slug,
        created_at=now,
        updated_at=now,
    ).with_draft(draft)
    _check_targets(page)
    limit = runtime.settings.limits.quota_pages if quota is None else quota
    pages, usage = Pages(owner), UsageChange("pages", 1, limit)
    for attempt in range(ATTEMPTS):
        try:
            pages.add(page, usage)
        except TransactionConflictError:
            with suppress(NotFoundError):
                # A repeated or concurrent call has created it.
                return without_deleted_targets(pages.get(page.id))
            raise_if_exceeded(usage, used(owner))
            _check_slug(page)
            back_off(attempt)
            continue
        runtime.page_caches.pages.discard(page.slug)
        return page
    raise ConflictError("too many pages are being created at once; try again")


def change(
    runtime: PagesRuntime, owner: str, page_id: str, redraft: Callable[[Page], PageDraft]
) -> Page:
    """Replace the owner's fields of a page by `redraft(page)`; what that raises is raised.

    The version stays the same if nothing changes. Raises NotFoundError, InvalidError or
    ConflictError.
    """
    pages = Pages(owner)
    for attempt in range(ATTEMPTS):
        stored = pages.get(page_id)
        before = without_deleted_targets(stored)
        after = before.with_draft(redraft(before))
        _check_targets(after, before.target_ids)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, updated_at=runtime.now)
        try:
            pages.change(stored, after)
        except TransactionConflictError:
            if after.slug != stored.slug:
                _check_slug(after)
            back_off(attempt)
            continue
        for slug in (stored.slug, after.slug):
            runtime.page_caches.pages.discard(slug)
        return after
    raise ConflictError(_BUSY)


def remove(runtime: PagesRuntime, owner: str, page_id: str, check: Callable[[Page], None]) -> None:
    """Delete the page and release its slug, unless `check` raises. Raises NotFoundError."""
    pages = Pages(owner)
    for attempt in range(ATTEMPTS):
        before = pages.get(page_id)
        check(before)
        try:
            pages.remove(before, UsageChange("pages", -1))
        except TransactionConflictError:
            back_off(attempt)
            continue
        runtime.page_caches.pages.discard(before.slug)
        return
    raise ConflictError(_BUSY)


def get(owner: str, page_id: str) -> Page:
    """Return the page; raises NotFoundError."""
    return without_deleted_targets(Pages(owner).get(page_id))


def page_of_pages(owner: str, after: str | None, limit: int) -> tuple[list[Page], str | None]:
    """Return up to `limit` pages after the id `after`, oldest first, and the next `after`."""
    remaining = [one for one in Pages(owner).all() if after is None or one.id > after]
    found = remaining[:limit]
    existing = Targets(owner).some({one for page in found for one in page.target_ids})
    pages = [_with_targets(page, existing) for page in found]
    return pages, remaining[limit - 1].id if len(remaining) > limit else None


def without_deleted_targets(page: Page) -> Page:
    """Return the page without targets that have been deleted since it was stored."""
    return _with_targets(page, Targets(page.owner).some(page.target_ids))


def _with_targets(page: Page, existing: Mapping[str, object]) -> Page:
    def filtered(part: Section) -> Section:
        return replace(part, target_ids=tuple(one for one in part.target_ids if one in existing))

    return replace(page, top=filtered(page.top), sections=tuple(map(filtered, page.sections)))


def _check_targets(page: Page, known: Sequence[str] = ()) -> None:
    """Raise InvalidError for new targets that do not exist or belong to another owner."""
    new = set(page.target_ids) - set(known)
    found = Targets(page.owner).some(new) if new else {}
    faults = tuple(_target_faults(page, new - set(found)))
    if faults:
        raise InvalidError("the page is invalid", faults)


def _target_faults(page: Page, missing: set[str]) -> Iterator[Fault]:
    if len(page.target_ids) > MAX_TARGETS:
        text = f"`target_ids` of the page and its sections must not name more than {MAX_TARGETS}"
        yield Fault(("body", "target_ids"), text)
    locations: list[tuple[str | int, ...]] = [("body",)]
    locations += [("body", "sections", number) for number in range(len(page.sections))]
    for location, part in zip(locations, page.parts, strict=True):
        for number, target_id in enumerate(part.target_ids):
            if target_id in missing:
                text = f"`target_ids[{number}]` must be the id of one of your targets"
                yield Fault((*location, "target_ids", number), text)


def _check_slug(page: Page) -> None:
    """Raise ConflictError if another page, of any owner, has the slug."""
    found = find_slug(page.slug, consistent=True)
    if found is not None and found != (page.owner, page.id):
        text = f"`slug` {page.slug!r} is already in use; choose another"
        raise ConflictError(text, (Fault(("body", "slug"), text),))
