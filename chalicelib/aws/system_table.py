"""The `system` table: what belongs to the installation and to no owner."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.aws.dynamodb import Table


class SystemItem(Table):
    """Name `schedule`: up to where ticks are planned (exclusive), and the intervals in use.

    `shards` is how many shards the lanes are spread over; those after the first have such an item
    of their own, `schedule:<shard>`. Name `rollups`: up to where hours are given out to be folded.

    Name `watchdog:<way>`: the newest that came that way was sent at `start` and arrived at
    `ticked_at`. Name `sentinel`: it watches `place` since `start`.
    Name `gap:<start>`: a time in which nothing was planned, from `start` to `cursor`.
    Name `host:<host>`: how many `checks` a day it is asked by all owners together.
    Name `failures:<address>:<minute>`: how many `failures` to authenticate came from there.
    """

    TABLE = "system"

    name = UnicodeAttribute(hash_key=True)
    cursor = NumberAttribute(null=True)
    ticked_at = NumberAttribute(null=True)
    start = NumberAttribute(null=True)
    intervals = UnicodeSetAttribute(null=True)
    shards = NumberAttribute(null=True)
    checks = NumberAttribute(null=True)
    failures = NumberAttribute(null=True)
    place = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)
