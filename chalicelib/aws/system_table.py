"""The `system` table: items that belong to the installation, not to an owner."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.aws.dynamodb import Table


class SystemItem(Table):
    """An item; its name determines the meaning of the attributes.

    - `schedule`: ticks are scheduled up to `cursor` (exclusive); `intervals` are those in use and
      `shards` the number of shards. After the latest gap, planning resumed at `start`. Every shard
      after the first has an item `schedule:<shard>`.
    - `rollups`: rollup jobs have been sent for the hours up to `cursor`.
    - `watchdog:<route>`: the newest watchdog message was sent at `start`, received at `ticked_at`.
    - `probe`: `/healthz` sent its latest probe at `start`; parts of it are pending since `cursor`.
    - `sentinel`: the synthetic target has been at `place` since `start`.
    - `stale`: the targets of these `owners` are searched for stale ones.
    - `gap:<start>`: nothing was scheduled from `start` to `cursor`.
    - `host:<host>`: the number of `checks` a day by all owners together.
    - `failures:<address>:<minute>`: the number of failed authentications.
    """

    TABLE = "system"

    name = UnicodeAttribute(hash_key=True)
    cursor = NumberAttribute(null=True)
    ticked_at = NumberAttribute(null=True)
    start = NumberAttribute(null=True)
    intervals = UnicodeSetAttribute(null=True)
    owners = UnicodeSetAttribute(null=True)
    shards = NumberAttribute(null=True)
    checks = NumberAttribute(null=True)
    failures = NumberAttribute(null=True)
    place = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)
