"""An owner's channels."""

from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.access.audit import record_change
from chalicelib.access.usage import NO_CHANGE, UsageChange, apply_usage, transaction
from chalicelib.alerting.channel import Channel, ChannelKind, Event
from chalicelib.alerting.storage.models import ChannelItem
from chalicelib.common.errors import NotFoundError

_FAILED = "ConditionalCheckFailedException"


class Channels:
    """The channels of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, channel_id: str) -> Channel:
        """The channel; raises NotFoundError."""
        try:
            return _channel(ChannelItem.get(self.owner, channel_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("there is no such channel") from None

    def all(self) -> list[Channel]:
        """Every channel, oldest first."""
        return [_channel(item) for item in ChannelItem.query(self.owner, consistent_read=True)]

    def add(self, channel: Channel, usage: UsageChange = NO_CHANGE) -> None:
        """Store a new channel; raises ChangedError where there is one already, or too many."""
        with transaction() as write:
            write.save(_item(channel), condition=ChannelItem.channel_id.does_not_exist())
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "channel.created", channel.id, channel.name)

    def change(self, before: Channel, after: Channel, action: str = "channel.changed") -> None:
        """Store `after` instead of `before`; raises ChangedError where that is outdated."""
        with transaction() as write:
            write.save(_item(after), condition=ChannelItem.version == before.version)
            record_change(write, self.owner, action, after.id, after.name, _changed(before, after))

    def rest(self, channel_id: str, *, rests: bool) -> None:
        """Have the channel rest, or wake it; harmless where it is gone."""
        actions: list[Action] = [
            ChannelItem.rests.set(True) if rests else ChannelItem.rests.remove()
        ]
        try:
            ChannelItem(self.owner, channel_id).update(
                actions, condition=ChannelItem.channel_id.exists()
            )
        except UpdateError as error:
            if error.cause_response_code != _FAILED:
                raise

    def remove(self, channel: Channel, usage: UsageChange = NO_CHANGE) -> None:
        """Delete it; raises ChangedError where `channel` is outdated."""
        with transaction() as write:
            write.delete(
                ChannelItem(self.owner, channel.id),
                condition=ChannelItem.version == channel.version,
            )
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "channel.deleted", channel.id, channel.name)


def _changed(before: Channel, after: Channel) -> list[str]:
    told = ("name", "url", "address", "events", "delay_s", "repeat_s", "tags", "secret")
    return [name for name in told if getattr(before, name) != getattr(after, name)]


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
        "rests": channel.rests or None,
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
        repeat_s=_whole(item.repeat_s),
        tags=tuple(item.tags),
        secret=item.secret,
        old_secret=item.old_secret,
        old_until=_whole(item.old_until) or 0,
        confirmed_at=_whole(item.confirmed_at),
        rests=bool(item.rests),
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
