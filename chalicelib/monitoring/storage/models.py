"""The items of targets, their lanes, results and rollups, and of the schedule.

Names are those of docs/architecture.md; times are epoch seconds.
"""

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection

from chalicelib.aws.dynamodb import Owned, Table


class Due(GlobalSecondaryIndex["TargetItem"]):
    """The targets due in a minute; a target without a slot is not indexed."""

    class Meta:
        index_name = "due"
        projection = IncludeProjection(["spec"])

    slot = UnicodeAttribute(hash_key=True)
    lane = UnicodeAttribute(range_key=True)


class ByName(GlobalSecondaryIndex["TargetItem"]):
    """An owner's targets by name; keys only, as the targets themselves are read by key."""

    class Meta:
        index_name = "by_name"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)
    name_key = UnicodeAttribute(range_key=True)


class TargetItem(Table):
    """One target. `spec` is the part that is sent to the worker; it never holds a secret.

    `lane` is `<owner>#<number>`; `secret_names` is `{"headers": [name], "userinfo": bool,
    "send": bool}`, whose values are in the lane's secrets. `past_tags` is `[[until, [tag]]]`.
    `name_key` is the case-folded name, then the id.
    """

    TABLE = "targets"

    owner = UnicodeAttribute(hash_key=True)
    target_id = UnicodeAttribute(range_key=True)
    slot = UnicodeAttribute(null=True)
    lane = UnicodeAttribute()
    shard = NumberAttribute(default=0)
    spec = JSONAttribute()
    name = UnicodeAttribute()
    tags = JSONAttribute()
    past_tags = JSONAttribute(null=True)
    channel_ids = JSONAttribute()
    secret_names = JSONAttribute()
    enabled = BooleanAttribute()
    version = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    name_key = UnicodeAttribute()
    due_index = Due()
    by_name = ByName()


class Shards(GlobalSecondaryIndex["LaneItem"]):
    """All lanes by shard, which saves scans. Changes of state do not write to it."""

    class Meta:
        index_name = "shards"
        projection = KeysOnlyProjection()

    shard = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(range_key=True)


class LaneItem(Owned):
    """Key `lane:0007`: the targets of a lane, by place: `{"3": [target id, *state]}`.

    Writes increment `version` and are conditional on it, so that none is lost. `outbox` holds
    unsent flips as JSON. `calendar` is the version of the lane's skip rules, see
    maintenance/skip_rule_repository.py. `rests` is set while the owner is suspended, which last
    ended at `resumed_at`. `definitions` are those of changed targets by place:
    `{"3": [version, seconds apart]}`.
    """

    TABLE = "lanes"

    version = NumberAttribute()
    places: MapAttribute[str, list[object]] = MapAttribute()
    shard = UnicodeAttribute(null=True)
    shards_index = Shards()
    outbox: ListAttribute[str] = ListAttribute(null=True)
    calendar = NumberAttribute(null=True)
    rests = BooleanAttribute(null=True)
    resumed_at = NumberAttribute(null=True)
    definitions: MapAttribute[str, list[int]] = MapAttribute(null=True)


class SecretsItem(Owned):
    """Key `secrets:0007`: the secrets of a lane's targets, by place, as JSON.

    `tag` in the JSON is the `CheckSpec.secrets_tag` of the spec they are part of.
    """

    TABLE = "lanes"

    places: MapAttribute[str, str] = MapAttribute()


class ResultsItem(Table):
    """The results of one lane at one tick; `results` is packed, see result_codec.py.

    `lane_day` is `<owner>#<lane>#<yyyymmdd>`; `check` is `<tick>#<region>`, and for a check outside
    the schedule `<tick>#<region>#<place>`. `errors` holds their error texts.
    """

    TABLE = "results"

    lane_day = UnicodeAttribute(hash_key=True)
    check = UnicodeAttribute(range_key=True)
    results = BinaryAttribute(legacy_encoding=False)
    errors: MapAttribute[str, str] = MapAttribute(null=True)
    expires = NumberAttribute()


class RollupItem(Table):
    """The rollup of one lane's hour or day; `pieces` is packed, see history/rollups/repository.py.

    `lane_month` is `<owner>#<lane>#<yyyymm>`; `period` is `1h#<start>` or `1d#<start>`. `results`
    is the number of results items it was computed from: a rollup never replaces one of
    more. `together` is the sum of `pieces`.
    """

    TABLE = "rollups"

    lane_month = UnicodeAttribute(hash_key=True)
    period = UnicodeAttribute(range_key=True)
    pieces = BinaryAttribute(legacy_encoding=False)
    together = BinaryAttribute(legacy_encoding=False, null=True)
    results = NumberAttribute()
    expires = NumberAttribute()
