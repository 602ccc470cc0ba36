"""The items of status pages, beside their owner. Times are epoch seconds."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.store.base import Table


class PageItem(Table):
    """Key `page:<id>`: one page. `parts` is `[[name, [target id], [tag]]]`, the top first."""

    TABLE = "users"

    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)
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


class SlugItem(Table):
    """Owner `slug:<slug>`, key `slug`: whose page has it. It is nobody's, and acted for by name."""

    TABLE = "users"

    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)
    whose = UnicodeAttribute()
    page_id = UnicodeAttribute()
