"""Storage of an owner's channels."""

from functools import partial
from typing import Any

from pynamodb.exceptions import DoesNotExist

from chalicelib.access.audit import record_change
from chalicelib.access.usage import NO_CHANGE, UsageChange, apply_usage, transaction
from chalicelib.alerting.channel import Channel, ChannelKind, Event
from chalicelib.alerting.storage.models import ChannelItem
from chalicelib.common.errors import NotFoundError
from chalicelib.monitoring.storage.conditional import write_if

_AUDITED = ("name", "url", "address", "events", "delay_s", "repeat_s", "tags", "secret")


class Channels:
    """The channels of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, channel_id: str) -> Channel:
        """The channel; raises NotFoundError."""
        try:
            return _channel(ChannelItem.get(self.owner, channel_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("the channel does not exist") from None

    def all(self) -> list[Channel]:
        """Every channel, oldest first."""
        return [_channel(item) for item in ChannelItem.query(self.owner, consistent_read=True)]

    def add(self, channel: Channel, usage: UsageChange = NO_CHANGE) -> None:
        """Store a channel; raises TransactionConflictError if it exists or the quota is reached."""
        with transaction() as write:
            write.save(_item(channel), condition=ChannelItem.channel_id.does_not_exist())
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "channel.created", channel.id, channel.name)

    def change(self, before: Channel, after: Channel, action: str = "channel.changed") -> None:
        """Replace `before` by `after`; raises TransactionConflictError if `before` is outdated."""
        with transaction() as write:
            write.save(_item(after), condition=ChannelItem.version == before.version)
            changed = [name for name in _AUDITED if getattr(before, name) != getattr(after, name)]
            record_change(write, self.owner, action, after.id, after.name, changed)

    def suspend(self, channel_id: str, *, suspended: bool) -> None:
        """Suspend or resume the channel. A deleted channel is ignored."""
        action = ChannelItem.rests.set(True) if suspended else ChannelItem.rests.remove()
        # Without the condition, the update would create the item of a channel just deleted.
        exists = ChannelItem.channel_id.exists()
        write_if(partial(ChannelItem(self.owner, channel_id).update, [action], condition=exists))

    def remove(self, channel: Channel, usage: UsageChange = NO_CHANGE) -> None:
        """Delete the channel; raises TransactionConflictError if `channel` is outdated."""
        with transaction() as write:
            write.delete(
                ChannelItem(self.owner, channel.id),
                condition=ChannelItem.version == channel.version,
            )
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "channel.deleted", channel.id, channel.name)


def _item(channel: Channel) -> ChannelItem:
    fields: dict[str, Any] = {
        "kind": str(channel.kind),
        "name": channel.name,
        "url": channel.url,
        "address": channel.address,
        "events": [str(event) for event in channel.events],
        "delay_s": channel.delay_s,
        "repeat_s": channel.repeat_s,
        "tags": list(channel.tags),
        "secret": channel.secret,
        "old_secret": channel.old_secret,
        "old_until": channel.old_until or None,
        "confirmed_at": channel.confirmed_at,
        "rests": channel.suspended or None,
        "disabled_at": channel.disabled_at,
        "disabled_reason": channel.disabled_reason,
        "version": channel.version,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
    }
    return ChannelItem(channel.owner, channel.id, **fields)


def _channel(item: ChannelItem) -> Channel:
    return Channel(
        owner=item.owner,
        id=item.channel_id,
        name=item.name,
        kind=ChannelKind(item.kind),
        url=item.url,
        address=item.address,
        events=tuple(map(Event, item.events)),
        delay_s=int(item.delay_s),
        repeat_s=_int(item.repeat_s),
        tags=tuple(item.tags),
        secret=item.secret,
        old_secret=item.old_secret,
        old_until=_int(item.old_until) or 0,
        confirmed_at=_int(item.confirmed_at),
        suspended=bool(item.rests),
        disabled_at=_int(item.disabled_at),
        disabled_reason=item.disabled_reason,
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )


def _int(number: float | None) -> int | None:
    return None if number is None else int(number)
