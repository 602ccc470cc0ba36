"""Storage of an owner's incidents, and of notices: flips without an incident."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from pynamodb.expressions.update import Action

from chalicelib.alerting.delivery import record_key
from chalicelib.alerting.incident import Acknowledgement, Incident, incident_id
from chalicelib.alerting.storage.models import IncidentItem
from chalicelib.common.errors import NotFoundError
from chalicelib.common.ids import id_time
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.storage.conditional import write_if
from chalicelib.monitoring.target import Target

_NOTICE_DAYS = 7
_DAY_S = 86_400
_BEFORE_NOTICES = ":"
"""Sorts after every digit and before every letter: keys of incidents begin with a time."""


class Incidents:
    """The incidents of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def record(
        self,
        entry: Entry,
        *,
        name: str,
        url: str,
        channel_ids: Sequence[str] | None,
        is_named: bool = True,
        target: Target | None = None,
    ) -> Incident:
        """Add a flip to its incident, which is created if needed. Idempotent.

        `channel_ids`, the channels to notify, keeps its first value. `is_named` is False if `name`
        is a placeholder, which does not overwrite a stored name.
        """
        flip = entry.flip
        item = IncidentItem(self.owner, record_key(entry))
        opened_at = flip.at if flip.opened_at is None else flip.opened_at
        actions: list[Action] = [
            IncidentItem.flips.add({entry.to_json()}),
            IncidentItem.target_id.set(entry.target_id),
            IncidentItem.opened_at.set(opened_at),
            IncidentItem.name.set(name if is_named else IncidentItem.name | name),
            IncidentItem.url.set(IncidentItem.url | url),
        ]
        if channel_ids is not None:
            actions.append(IncidentItem.told.set(IncidentItem.told | list(channel_ids)))
        if target:
            actions.append(IncidentItem.tags.set(list(target.tags)))
            actions.append(IncidentItem.interval_s.set(target.spec.interval_s))
        if flip.opened_at is None:
            actions.append(IncidentItem.expires.set(flip.at + _NOTICE_DAYS * _DAY_S))
        else:
            target_key = f"{entry.target_id}#{flip.opened_at:010d}"
            actions.append(IncidentItem.target_key.set(target_key))
        item.update(actions)
        return _incident(item)

    def notices(self, target_id: str, start: int, end: int) -> list[Entry]:
        """The flips of a target without an incident, start <= at <= end, oldest first."""
        items = IncidentItem.query(
            self.owner,
            IncidentItem.key.between(f"notice#{start:010d}", f"notice#{end:010d}#~"),
            consistent_read=True,
        )
        found = [_incident(item) for item in items if item.target_id == target_id]
        return [entry for incident in found for entry in incident.entries]

    def some(self, keys: Iterable[str]) -> dict[str, Incident]:
        """The stored incidents among `keys`, by key; one call per hundred."""
        wanted = [(self.owner, key) for key in dict.fromkeys(keys)]
        items = IncidentItem.batch_get(wanted, consistent_read=True)
        return {item.key: _incident(item) for item in items}

    def get(self, identifier: str) -> Incident:
        """The incident with this id; raises NotFoundError."""
        opened_at = id_time(identifier)
        # The id contains the second of opening, in which few incidents open.
        items = IncidentItem.query(
            self.owner, IncidentItem.key.startswith(f"{opened_at:010d}#"), consistent_read=True
        )
        for item in items:
            if incident_id(self.owner, item.target_id, opened_at) == identifier:
                return _incident(item)
        raise NotFoundError("the incident does not exist")

    def newest_first(self, after: str | None = None, start: int = 0) -> Iterator[Incident]:
        """All incidents that opened at `start` or later, beginning after the key `after`."""
        key = {"owner": {"S": self.owner}, "key": {"S": after}} if after else None
        items = IncidentItem.query(
            self.owner,
            IncidentItem.key.between(f"{start:010d}", _BEFORE_NOTICES),
            scan_index_forward=False,
            page_size=200,
            last_evaluated_key=key,
            consistent_read=True,
        )
        return map(_incident, items)

    def of_target(self, target_id: str, after: str | None = None) -> Iterator[Incident]:
        """The incidents of a target, newest first, beginning after the key `after`."""
        last = None
        if after:
            key = {"owner": self.owner, "key": after, "target_key": f"{target_id}#{after[:10]}"}
            last = {name: {"S": value} for name, value in key.items()}
        items = IncidentItem.of_target.query(
            self.owner,
            IncidentItem.target_key.startswith(f"{target_id}#"),
            scan_index_forward=False,
            page_size=200,
            last_evaluated_key=last,
        )
        return map(_incident, items)

    def acknowledge(self, incident: Incident, given: Acknowledgement) -> bool:
        """Store an acknowledgement; False if there is one already."""
        item = IncidentItem(self.owner, incident.key)
        actions: list[Action] = [
            IncidentItem.acknowledged_by.set(given.by),
            IncidentItem.acknowledged_at.set(given.at),
        ]
        if given.note is not None:
            actions.append(IncidentItem.note.set(given.note))
        unacknowledged = IncidentItem.acknowledged_at.does_not_exist()
        condition = IncidentItem.key.exists() & unacknowledged
        return write_if(partial(item.update, actions, condition=condition))


def _incident(item: IncidentItem) -> Incident:
    entries = map(Entry.from_json, item.flips)
    acknowledgement = None
    if item.acknowledged_at is not None:
        by, at = item.acknowledged_by or "", int(item.acknowledged_at)
        acknowledgement = Acknowledgement(by, at, item.note)
    return Incident(
        owner=item.owner,
        target_id=item.target_id,
        opened_at=int(item.opened_at),
        target_name=item.name,
        target_url=item.url,
        entries=sorted(entries, key=lambda entry: (entry.flip.at, entry.flip.kind)),
        channel_ids=item.told,
        tags=item.tags or (),
        interval_s=int(item.interval_s or 0),
        acknowledgement=acknowledgement,
    )
