"""The stored items of maintenance windows. Times are epoch seconds."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.aws.dynamodb import Owned


class WindowItem(Owned):
    """Key `window#<id>`: the current window, which applies from `since`.

    Key `past#<until>#<id>`: the window before a change or deletion; it expires with the last
    history that it affects. `rule` contains the fields of `window.Rule` that are set.
    """

    TABLE = "maintenance"

    name = UnicodeAttribute()
    mode = UnicodeAttribute()
    counts = BooleanAttribute()
    target_ids = JSONAttribute()
    tags = JSONAttribute()
    rule = JSONAttribute()
    since = NumberAttribute()
    until = NumberAttribute(null=True)
    version = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    expires = NumberAttribute(null=True)


class SkipRulesItem(Owned):
    """Key `calendar:0007`, beside the lane's item: the skip rules of its targets.

    `rules` is a list of `[rule, since, [target id, ...]]`.
    """

    TABLE = "lanes"

    rules = JSONAttribute()
