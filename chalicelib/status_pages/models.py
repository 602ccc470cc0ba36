"""The DynamoDB items of status pages. Times are epoch seconds."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.aws.dynamodb import Owned


class PageItem(Owned):
    """Key `page:<id>`: one page. `parts` are its sections, the top first."""

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
    """Owner `slug:<slug>`, key `slug`: the page that has the slug. No user owns this item."""

    TABLE = "users"

    whose = UnicodeAttribute()
    page_id = UnicodeAttribute()
