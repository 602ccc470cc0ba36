"""Build channels from the notification settings of other monitors.

Chat services become apprise URLs. Builders return no channel if the settings are unusable.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

Channel = dict[str, Any]
Builder = tuple[Callable[..., list[Channel]], tuple[str, ...]]
"""A function of this module and the names of the settings to call it with."""

_DISCORD = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d+)/([\w-]+)/?")
_SLACK = re.compile(r"https://hooks\.slack\.com/services/(\w+)/(\w+)/(\w+)/?")


def build(builders: Mapping[str, Builder], kind: str, settings: Mapping[str, Any]) -> list[Channel]:
    """Build the channels of a kind of notification; none if the kind is not supported."""
    if kind not in builders:
        return []
    builder, names = builders[kind]
    return builder(*(str(settings.get(name, "")) for name in names))


def apprise(url: str) -> list[Channel]:
    return [{"kind": "apprise", "url": url}] if url else []


def slack(webhook_url: str) -> list[Channel]:
    found = _SLACK.fullmatch(webhook_url)
    return apprise(f"slack://{found[1]}/{found[2]}/{found[3]}") if found else []


def discord(webhook_url: str) -> list[Channel]:
    found = _DISCORD.fullmatch(webhook_url)
    return apprise(f"discord://{found[1]}/{found[2]}") if found else []


def telegram(token: str, chat: str) -> list[Channel]:
    return apprise(f"tgram://{token}/{quote(chat, safe='-@')}") if token and chat else []


def ntfy(server: str, topic: str) -> list[Channel]:
    if not topic:
        return []
    url = urlsplit(server or "https://ntfy.sh")
    if url.netloc == "ntfy.sh":
        return apprise(f"ntfy://{topic}")
    return apprise(f"{'ntfys' if url.scheme == 'https' else 'ntfy'}://{url.netloc}/{topic}")


def gotify(server: str, token: str) -> list[Channel]:
    url = urlsplit(server)
    if not url.netloc or not token:
        return []
    scheme = "gotifys" if url.scheme == "https" else "gotify"
    path = url.path.strip("/")
    return apprise(f"{scheme}://{url.netloc}/{f'{path}/' if path else ''}{token}")


def pushover(user: str, token: str) -> list[Channel]:
    return apprise(f"pover://{user}@{token}") if user and token else []


def pagerduty(key: str) -> list[Channel]:
    return apprise(f"pagerduty://{key}") if key else []


def webhook(url: str) -> list[Channel]:
    return [{"kind": "webhook", "url": url}] if url.startswith(("http://", "https://")) else []


def emails(addresses: str) -> list[Channel]:
    """Build a channel for each address of a comma-separated list."""
    stripped = [address.strip() for address in addresses.split(",")]
    return [{"kind": "email", "address": address} for address in stripped if "@" in address]
