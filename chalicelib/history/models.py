"""The stored items of the history, apart from the results and rollups of `monitoring`."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.aws.dynamodb import Owned


class ErasureItem(Owned):
    """Key `erase:<target id>`: a deleted target whose history is not erased completely.

    `shard` is always `erase`, so that the lanes' index finds all erasures. The target had `place`
    from `created_at` to `deleted_at` (epoch seconds). Results before `cursor` are erased, and all
    of them once `results_done_at` is set.
    """

    TABLE = "lanes"

    shard = UnicodeAttribute()
    lane = NumberAttribute()
    place = NumberAttribute()
    created_at = NumberAttribute()
    deleted_at = NumberAttribute()
    cursor = NumberAttribute()
    results_done_at = NumberAttribute(null=True)


class RollupRequestItem(Owned):
    """Key `rollup:<lane>:<start>:<end>`: a period of a lane that is to be rolled up again.

    `shard` is always `rollup`, so that the lanes' index finds all requests.
    """

    TABLE = "lanes"

    shard = UnicodeAttribute()
