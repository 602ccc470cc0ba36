"""Store an owner's status pages, and find pages by slug.

A slug is claimed and released in the same transaction as the change of its page, so that of two
concurrent claims only one succeeds.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from chalicelib.access.audit import record_change
from chalicelib.access.usage import NO_CHANGE, UsageChange, apply_usage, transaction
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import NotFoundError, UnavailableError
from chalicelib.status_pages.models import PageItem, SlugItem
from chalicelib.status_pages.page import PLAIN_FIELDS, Page, Section

USER_KEY: Final = "user"
_PAGE: Final = "page:"
_SLUG: Final = "slug"


class Pages:
    """The status pages of one owner."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, page_id: str) -> Page:
        """Return the page; raises NotFoundError."""
        try:
            return _page(PageItem.get(self.owner, _PAGE + page_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("the page does not exist") from None

    def all(self) -> list[Page]:
        """Return all pages, oldest first."""
        items = PageItem.query(self.owner, PageItem.key.startswith(_PAGE), consistent_read=True)
        return [_page(item) for item in items]

    def add(self, page: Page, usage: UsageChange = NO_CHANGE) -> None:
        """Store a new page and claim its slug.

        Raises TransactionConflictError if the page or slug exists, or the quota is exceeded.
        """
        with acting_for(self.owner, _slug_owner(page.slug)), transaction() as write:
            write.save(_item(page), condition=PageItem.key.does_not_exist())
            _claim(write, page)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "page.created", page.id, page.name)

    def change(self, before: Page, after: Page) -> None:
        """Replace `before` by `after`.

        Raises TransactionConflictError if `before` is outdated or the new slug is in use.
        """
        with (
            acting_for(self.owner, _slug_owner(before.slug), _slug_owner(after.slug)),
            transaction() as write,
        ):
            write.save(_item(after), condition=PageItem.version == before.version)
            if after.slug != before.slug:
                _release(write, before)
                _claim(write, after)
            record_change(
                write, self.owner, "page.changed", after.id, after.name, _changed(before, after)
            )

    def remove(self, page: Page, usage: UsageChange = NO_CHANGE) -> None:
        """Delete the page and release its slug.

        Raises TransactionConflictError if `page` is outdated.
        """
        with acting_for(self.owner, _slug_owner(page.slug)), transaction() as write:
            item = PageItem(self.owner, _PAGE + page.id)
            write.delete(item, condition=PageItem.version == page.version)
            _release(write, page)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "page.deleted", page.id, page.name)


def find_slug(slug: str, *, consistent: bool = False) -> tuple[str, str] | None:
    """Return the owner and id of the page with a slug, published or not; None if there is none."""
    with acting_for(_slug_owner(slug)):
        try:
            item = SlugItem.get(_slug_owner(slug), _SLUG, consistent_read=consistent)
        except DoesNotExist:
            return None
    return item.whose, item.page_id


def read_published(owner: str, page_id: str) -> Page | None:
    """Return the page, or None if it is not published or its user is disabled.

    Reads the page and the user in one call.
    """
    keys: list[Any] = [
        {"owner": owner, "key": _PAGE + page_id},
        {"owner": owner, "key": USER_KEY},
    ]
    response = PageItem._get_connection().batch_get_item(  # noqa: SLF001 - pynamodb reads one model
        keys, consistent_read=True
    )
    if response.get("UnprocessedKeys"):
        raise UnavailableError("the status page is busy; try again")
    found = {one["key"]["S"]: one for items in response["Responses"].values() for one in items}
    user, item = (found.get(one["key"]) for one in reversed(keys))
    if user is None or item is None or user.get("disabled", {}).get("BOOL"):
        return None
    raw = PageItem.from_raw_data(dict(item))
    return _page(raw) if raw.published else None


def _claim(write: TransactWrite, page: Page) -> None:
    item = SlugItem(_slug_owner(page.slug), _SLUG, whose=page.owner, page_id=page.id)
    write.save(item, condition=SlugItem.owner.does_not_exist())


def _release(write: TransactWrite, page: Page) -> None:
    write.delete(SlugItem(_slug_owner(page.slug), _SLUG), condition=SlugItem.page_id == page.id)


def _slug_owner(slug: str) -> str:
    return f"slug:{slug}"


def write_sections(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """Serialize sections as JSON."""
    return [
        {"name": one.name, "target_ids": list(one.target_ids), "tags": list(one.tags)}
        for one in sections
    ]


def read_sections(stored: Iterable[Mapping[str, Any]]) -> list[Section]:
    """Parse what `write_sections` wrote, in this version or another."""
    return [Section(one["name"], tuple(one["target_ids"]), tuple(one["tags"])) for one in stored]


def _changed(before: Page, after: Page) -> list[str]:
    found = [name for name in PLAIN_FIELDS if getattr(before, name) != getattr(after, name)]
    if before.top.target_ids != after.top.target_ids:
        found.append("target_ids")
    if before.top.tags != after.top.tags:
        found.append("tags")
    if before.sections != after.sections:
        found.append("sections")
    return found


def _item(page: Page) -> PageItem:
    fields: dict[str, Any] = {name: getattr(page, name) for name in PLAIN_FIELDS}
    return PageItem(
        page.owner,
        _PAGE + page.id,
        **fields,
        parts=write_sections(page.parts),
        version=page.version,
        created_at=page.created_at,
        updated_at=page.updated_at,
    )


def _page(item: PageItem) -> Page:
    top, *sections = read_sections(item.parts)
    fields: dict[str, Any] = {name: getattr(item, name) for name in PLAIN_FIELDS}
    return Page(
        **{**fields, "history_days": int(item.history_days)},
        owner=item.owner,
        id=item.key.removeprefix(_PAGE),
        top=top,
        sections=tuple(sections),
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )
