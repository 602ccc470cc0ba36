"""The DynamoDB items of incidents, channels and deliveries. Times are epoch seconds."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection

from chalicelib.aws.dynamodb import Owned, Table


class OfTarget(GlobalSecondaryIndex["IncidentItem"]):
    """The incidents of one target by opening time."""

    class Meta:
        index_name = "of_target"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    target_key = UnicodeAttribute(range_key=True)


class IncidentItem(Owned):
    """Key `<opened at>#<target id>`: one incident, as the set of its flips in JSON.

    Key `notice#<at>#<target id>`: a flip without an incident, stored for its alert; it expires.
    `target_key` is `<target id>#<opened at>`. `told` are the ids of the channels to notify of the
    outage. `tags` and `interval_s` are those of the target at its last flip.
    """

    TABLE = "incidents"

    target_key = UnicodeAttribute(null=True)
    target_id = UnicodeAttribute()
    opened_at = NumberAttribute()
    name = UnicodeAttribute()
    url = UnicodeAttribute()
    flips = UnicodeSetAttribute()
    told = JSONAttribute(null=True)
    tags = JSONAttribute(null=True)
    interval_s = NumberAttribute(null=True)
    acknowledged_by = UnicodeAttribute(null=True)
    acknowledged_at = NumberAttribute(null=True)
    note = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)
    of_target = OfTarget()


class ChannelItem(Table):
    """One channel. `secret` and `old_secret` sign its webhooks; `url` may contain secrets.

    `rests` is set while the owner is disabled, `disabled_at` while the channel itself is.
    """

    TABLE = "channels"

    owner = UnicodeAttribute(hash_key=True)
    channel_id = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    name = UnicodeAttribute()
    url = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    events = JSONAttribute()
    delay_s = NumberAttribute()
    repeat_s = NumberAttribute(null=True)
    tags = JSONAttribute()
    secret = UnicodeAttribute(null=True)
    old_secret = UnicodeAttribute(null=True)
    old_until = NumberAttribute(null=True)
    confirmed_at = NumberAttribute(null=True)
    rests = BooleanAttribute(null=True)
    disabled_at = NumberAttribute(null=True)
    disabled_reason = UnicodeAttribute(null=True)
    version = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()


class Waiting(GlobalSecondaryIndex["DeliveryItem"]):
    """The unfinished deliveries of all owners; finished ones are not indexed."""

    class Meta:
        index_name = "waiting"
        projection = IncludeProjection(["kind", "next_at"])

    waiting = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(range_key=True)


class DeliveryItem(Owned):
    """Key `<channel id>#<minute>#<event>#<serial>`: one alert for one channel.

    `about` and `dropped` are flip references, see alerting/delivery.py; `attempts` is a list of
    `[at, status code, reason]`. `tries` is set by the first attempt, after which `about` is fixed.
    `held_until` is the end of the maintenance that the delivery waited for. `waiting` is the
    partition of the index of waiting deliveries, set until the delivery is finished.
    """

    TABLE = "deliveries"

    kind = UnicodeAttribute()
    about = UnicodeSetAttribute()
    dropped = UnicodeSetAttribute(null=True)
    status = UnicodeAttribute()
    created_at = NumberAttribute()
    due_at = NumberAttribute()
    next_at = NumberAttribute()
    held_until = NumberAttribute(null=True)
    tries = NumberAttribute(null=True)
    leased_until = NumberAttribute(null=True)
    attempts: ListAttribute[list[object]] = ListAttribute(null=True)
    expires = NumberAttribute()
    waiting = UnicodeAttribute(null=True)
    waiting_index = Waiting()
