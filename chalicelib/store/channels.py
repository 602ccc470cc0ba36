"""An owner's channels."""

from typing import Any

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.channels import Channel, ChannelKind, Event
from chalicelib.domain.errors import NotFoundError
from chalicelib.store.alert_models import ChannelItem
from chalicelib.store.targets import ChangedError

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

    def add(self, channel: Channel) -> None:
        """Store a new channel."""
        self._put(channel, ChannelItem.channel_id.does_not_exist())

    def change(self, before: Channel, after: Channel) -> None:
        """Store `after` instead of `before`; raises ChangedError where that is outdated."""
        self._put(after, ChannelItem.version == before.version)

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

    def remove(self, before: Channel) -> None:
        """Delete it; raises ChangedError where `before` is outdated."""
        item = ChannelItem(self.owner, before.id)
        try:
            item.delete(condition=ChannelItem.version == before.version)
        except DeleteError as error:
            if error.cause_response_code != _FAILED:
                raise
            raise ChangedError from None

    def _put(self, channel: Channel, condition: Condition) -> None:
        try:
            _item(channel).save(condition=condition)
        except PutError as error:
            if error.cause_response_code != _FAILED:
                raise
            raise ChangedError from None


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
