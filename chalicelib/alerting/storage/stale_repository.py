"""The owners whose targets are searched for stale ones, because one of their channels asks for it.

One item of the `system` table lists them, so that the hourly search reads no channels.
"""

from collections.abc import Iterable
from typing import Final

from chalicelib.alerting.channel import Channel, Event
from chalicelib.aws.system_table import SystemItem
from chalicelib.aws.tenancy import acting_as_system

_NAME: Final = "stale"


def list_owner(owner: str) -> None:
    """Have the owner's targets searched from now on."""
    with acting_as_system():
        SystemItem(_NAME).update([SystemItem.owners.add([owner])])


def unlist_owner(owner: str, channels: Iterable[Channel]) -> None:
    """End the search if none of the owner's `channels` asks for it."""
    if any(Event.STALE in channel.events for channel in channels):
        return
    with acting_as_system():
        SystemItem(_NAME).update([SystemItem.owners.delete([owner])])


def listed_owners() -> list[str]:
    """The owners whose targets are searched; for the system scope."""
    found = SystemItem.batch_get([_NAME], consistent_read=True)
    return sorted(owner for item in found for owner in item.owners or ())
