"""The current definitions of targets, for workers whose message has an earlier one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.storage.lane_repository import read_secrets
from chalicelib.monitoring.storage.models import TargetItem

_ATTRIBUTES = ["owner", "target_id", "lane", "spec", "enabled", "version"]
"""All that the worker may read of a target."""
Key = tuple[str, str]


def read_definitions(keys: Iterable[Key]) -> dict[Key, CheckSpec]:
    """The specs of enabled targets of several owners, with their secrets, by `(owner, target id)`.

    A target and its secrets are separate items that change together. Therefore targets with secrets
    are read before and after them, and left out if they have changed in between.
    """
    items = _read(keys)
    specs = {key: CheckSpec.from_message(key[1], item.spec) for key, item in items.items()}
    lanes = {key: _lane(items[key]) for key, spec in specs.items() if spec.has_secrets}
    if not lanes:
        return specs
    secrets = read_secrets(lanes.values())
    again = _read(lanes)
    for key, lane in lanes.items():
        if key in again and again[key].version == items[key].version:
            found = secrets.get(lane, {}).get(specs[key].place, Secrets())
            specs[key] = replace(specs[key], secrets=found.to_json())
        else:
            del specs[key]
    return specs


def _read(keys: Iterable[Key]) -> Mapping[Key, TargetItem]:
    items = TargetItem.batch_get(list(keys), consistent_read=True, attributes_to_get=_ATTRIBUTES)
    return {(item.owner, item.target_id): item for item in items if item.enabled}


def _lane(item: TargetItem) -> tuple[str, int]:
    return item.owner, int(item.lane.rpartition("#")[2])
