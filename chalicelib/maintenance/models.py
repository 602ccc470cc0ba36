"""The items of maintenance windows. Times are epoch seconds."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.aws.dynamodb import Owned


class WindowItem(Owned):
    """Key `window#<id>`: a window as it is now, in force `since`.

    Key `past#<until>#<id>`: as it was until it was changed or deleted; it expires when there is no
    history left that it has a part in. `rule` has the fields of `domain.windows.Rule` that are set.
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
    """Key `calendar:0007` beside a lane: which of its targets are not checked when.

    `rules` is a list of `[rule, since, [target id, ...]]`.
    """

    TABLE = "lanes"

    rules = JSONAttribute()


class ErasureItem(Owned):
    """Key `erase:<target id>`: the history of a deleted target, as long as there is some.

    `shard` is `erase`, by which all of them are found in the lanes' index. The target sat in
    `place` from `created_at` to `deleted_at`; results before `cursor` are erased, and once
    `results_done_at` is there all of them are.
    """

    TABLE = "lanes"

    shard = UnicodeAttribute()
    lane = NumberAttribute()
    place = NumberAttribute()
    created_at = NumberAttribute()
    deleted_at = NumberAttribute()
    cursor = NumberAttribute()
    results_done_at = NumberAttribute(null=True)
