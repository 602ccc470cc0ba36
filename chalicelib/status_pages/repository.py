"""An owner's status pages, and whose page a slug leads to.

A slug is claimed and given back in the transaction of the change itself: of two who want the same
at once one gets it.
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
from chalicelib.status_pages.page import Page, Section

USER_KEY: Final = "user"
_PAGE: Final = "page:"
_SLUG: Final = "slug"
_TOLD: Final = (
    "name",
    "slug",
    "title",
    "description",
    "published",
    "show_response_times",
    "history_days",
)


class Pages:
    """The pages of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, page_id: str) -> Page:
        """The page; raises NotFoundError."""
        try:
            return _page(PageItem.get(self.owner, _PAGE + page_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("there is no such page") from None

    def all(self) -> list[Page]:
        """Every page, oldest first."""
        items = PageItem.query(self.owner, PageItem.key.startswith(_PAGE), consistent_read=True)
        return [_page(item) for item in items]

    def add(self, page: Page, usage: UsageChange = NO_CHANGE) -> None:
        """Store a new page and claim its slug; raises ChangedError where either is there, or there
        are too many pages.
        """
        with acting_for(self.owner, _name(page.slug)), transaction() as write:
            write.save(_item(page), condition=PageItem.key.does_not_exist())
            _claim(write, page)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "page.created", page.id, page.name)

    def change(self, before: Page, after: Page) -> None:
        """Store `after` instead of `before`; raises ChangedError where that is outdated, or the new
        slug is another page's.
        """
        with acting_for(self.owner, _name(before.slug), _name(after.slug)), transaction() as write:
            write.save(_item(after), condition=PageItem.version == before.version)
            if after.slug != before.slug:
                _give_back(write, before)
                _claim(write, after)
            record_change(
                write, self.owner, "page.changed", after.id, after.name, _changed(before, after)
            )

    def remove(self, page: Page, usage: UsageChange = NO_CHANGE) -> None:
        """Delete it and give its slug back; raises ChangedError where it is outdated."""
        with acting_for(self.owner, _name(page.slug)), transaction() as write:
            item = PageItem(self.owner, _PAGE + page.id)
            write.delete(item, condition=PageItem.version == page.version)
            _give_back(write, page)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "page.deleted", page.id, page.name)


def whose(slug: str, *, consistent: bool = False) -> tuple[str, str] | None:
    """The owner and the id of the page with a slug, published or not; None where there is none."""
    with acting_for(_name(slug)):
        try:
            item = SlugItem.get(_name(slug), _SLUG, consistent_read=consistent)
        except DoesNotExist:
            return None
    return item.whose, item.page_id


def read_published(owner: str, page_id: str) -> Page | None:
    """The page as it is now, with its user in one call; None where visitors are not to see it."""
    keys: list[Any] = [
        {"owner": owner, "key": _PAGE + page_id},
        {"owner": owner, "key": USER_KEY},
    ]
    answer = PageItem._get_connection().batch_get_item(  # noqa: SLF001 - items of two kinds at once
        keys, consistent_read=True
    )
    if answer.get("UnprocessedKeys"):
        raise UnavailableError("too much at once; try again")
    found = {one["key"]["S"]: one for items in answer["Responses"].values() for one in items}
    user, item = (found.get(one["key"]) for one in reversed(keys))
    if user is None or item is None or user.get("disabled", {}).get("BOOL"):
        return None
    raw = PageItem.from_raw_data(dict(item))
    return _page(raw) if raw.published else None


def _claim(write: TransactWrite, page: Page) -> None:
    item = SlugItem(_name(page.slug), _SLUG, whose=page.owner, page_id=page.id)
    write.save(item, condition=SlugItem.owner.does_not_exist())


def _give_back(write: TransactWrite, page: Page) -> None:
    write.delete(SlugItem(_name(page.slug), _SLUG), condition=SlugItem.page_id == page.id)


def _name(slug: str) -> str:
    return f"slug:{slug}"


def write_sections(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """Sections as JSON."""
    return [
        {"name": one.name, "target_ids": list(one.target_ids), "tags": list(one.tags)}
        for one in sections
    ]


def read_sections(stored: Iterable[Mapping[str, Any]]) -> list[Section]:
    """What `write_sections` wrote, in this version or another."""
    return [Section(one["name"], tuple(one["target_ids"]), tuple(one["tags"])) for one in stored]


def _changed(before: Page, after: Page) -> list[str]:
    found = [name for name in _TOLD if getattr(before, name) != getattr(after, name)]
    if before.top.target_ids != after.top.target_ids:
        found.append("target_ids")
    if before.top.tags != after.top.tags:
        found.append("tags")
    return [*found, *(["sections"] if before.sections != after.sections else [])]


def _item(page: Page) -> PageItem:
    fields: dict[str, Any] = {name: getattr(page, name) for name in _TOLD}
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
    top, *rest = read_sections(item.parts)
    return Page(
        owner=item.owner,
        id=item.key.removeprefix(_PAGE),
        name=item.name,
        slug=item.slug,
        title=item.title,
        description=item.description,
        top=top,
        sections=tuple(rest),
        published=item.published,
        show_response_times=item.show_response_times,
        history_days=int(item.history_days),
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )
