"""Status pages as their owners send and see them."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chalicelib.api.schemas import Line, Model, Moment, Name, Page, Root, Schema, Tag, any_partial
from chalicelib.status_pages import page as pages
from chalicelib.status_pages.page import MOST_TARGETS, RESERVED, SLUG_LENGTH, SLUG_PATTERN, Section
from chalicelib.status_pages.service import PageDraft


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _free(slug: str) -> str:
    if slug in RESERVED:
        raise ValueError("is reserved")
    return slug


Id = Annotated[str, Field(min_length=1, max_length=36)]
Ids = Annotated[list[Id], Field(max_length=MOST_TARGETS), AfterValidator(_distinct)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)]
Slug = Annotated[
    str,
    Field(
        min_length=1,
        max_length=SLUG_LENGTH,
        pattern=SLUG_PATTERN,
        json_schema_extra={"not": {"enum": sorted(RESERVED)}},
    ),
    AfterValidator(_free),
]


class SectionIn(Schema):
    """A part of a page under a heading: targets in this order, then those with one of the tags."""

    name: Name
    target_ids: Ids = []
    tags: Tags = []


class PageIn(Schema):
    """A status page as its owner describes it: where, what is on it, and whether it is public."""

    name: Name
    slug: Slug
    title: Name | None = None
    description: Annotated[Line, Field(min_length=1, max_length=500)] | None = None
    target_ids: Ids = []
    tags: Tags = []
    sections: Annotated[list[SectionIn], Field(max_length=20)] = []
    published: bool = False
    show_response_times: bool = True
    history_days: Annotated[int, Field(ge=7, le=90)] = 90

    def draft(self) -> PageDraft:
        return PageDraft(
            name=self.name,
            slug=self.slug,
            title=self.title,
            description=self.description,
            top=Section("", tuple(self.target_ids), tuple(self.tags)),
            sections=[
                Section(one.name, tuple(one.target_ids), tuple(one.tags)) for one in self.sections
            ],
            published=self.published,
            show_response_times=self.show_response_times,
            history_days=self.history_days,
        )


class PagePatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null puts the default back."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (PageIn,))

    def over(self, page: pages.Page) -> dict[str, Any]:
        """The page's description with these fields instead of its own."""
        merged = {**describe(page), **self.root}
        return {name: value for name, value in merged.items() if value is not None}


class SectionOut(Model):
    """A part of a page under a heading."""

    name: str
    target_ids: list[str]
    tags: list[str]


class PageOut(Model):
    """A status page as its owner sees it; visitors find it at `/status/` and its slug."""

    id: str
    name: str
    slug: str
    title: str | None
    description: str | None
    target_ids: list[str]
    tags: list[str]
    sections: list[SectionOut]
    published: bool
    show_response_times: bool
    history_days: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, page: pages.Page) -> "PageOut":
        return cls.model_validate(
            {
                **describe(page),
                "id": page.id,
                "created_at": page.created_at,
                "updated_at": page.updated_at,
            }
        )


PagesPage = Page[PageOut]


def describe(page: pages.Page) -> dict[str, Any]:
    """What of a page its owner gave."""
    return {
        "name": page.name,
        "slug": page.slug,
        "title": page.title,
        "description": page.description,
        **_targets(page.top),
        "sections": [{"name": part.name, **_targets(part)} for part in page.sections],
        "published": page.published,
        "show_response_times": page.show_response_times,
        "history_days": page.history_days,
    }


def _targets(part: Section) -> dict[str, Any]:
    return {"target_ids": list(part.target_ids), "tags": list(part.tags)}
