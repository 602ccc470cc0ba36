"""The items of status pages, beside their owner. Times are epoch seconds."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.aws.dynamodb import Owned


class PageItem(Owned):
    """Key `page:<id>`: one page. `parts` are its sections, the top first: see store/pages.py."""

    TABLE = "users"

    name = UnicodeAttribute()
    slug = UnicodeAttribute()
    title = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    parts = JSONAttribute()
    published = BooleanAttribute()
    show_response_times = BooleanAttribute()
    history_days = NumberAttribute()
    version = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()


class SlugItem(Owned):
    """Owner `slug:<slug>`, key `slug`: whose page has it. It is nobody's, and acted for by name."""

    TABLE = "users"

    whose = UnicodeAttribute()
    page_id = UnicodeAttribute()
