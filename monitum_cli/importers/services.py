"""Chat services' own webhook addresses and keys as apprise's URLs, which are our channels'."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

_DISCORD = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d+)/([\w-]+)/?")
_SLACK = re.compile(r"https://hooks\.slack\.com/services/(\w+)/(\w+)/(\w+)/?")


def slack(webhook: str) -> str | None:
    found = _SLACK.fullmatch(webhook)
    return f"slack://{found[1]}/{found[2]}/{found[3]}" if found else None


def discord(webhook: str) -> str | None:
    found = _DISCORD.fullmatch(webhook)
    return f"discord://{found[1]}/{found[2]}" if found else None


def telegram(token: str, chat: str) -> str | None:
    return f"tgram://{token}/{quote(chat, safe='-@')}" if token and chat else None


def ntfy(server: str, topic: str) -> str | None:
    if not topic:
        return None
    place = urlsplit(server or "https://ntfy.sh")
    if place.netloc == "ntfy.sh":
        return f"ntfy://{topic}"
    return f"{'ntfys' if place.scheme == 'https' else 'ntfy'}://{place.netloc}/{topic}"


def gotify(server: str, token: str) -> str | None:
    place = urlsplit(server)
    if not place.netloc or not token:
        return None
    path = place.path.strip("/")
    scheme = "gotifys" if place.scheme == "https" else "gotify"
    return f"{scheme}://{place.netloc}/{f'{path}/' if path else ''}{token}"


def pushover(user: str, token: str) -> str | None:
    return f"pover://{user}@{token}" if user and token else None


def pagerduty(key: str) -> str | None:
    return f"pagerduty://{key}" if key else None


def chat(url: str | None) -> dict[str, Any] | None:
    """A channel to a chat service, None where there is no URL for it."""
    return {"kind": "apprise", "url": url} if url else None


def webhook(url: str) -> dict[str, Any] | None:
    return {"kind": "webhook", "url": url} if url.startswith(("http://", "https://")) else None


def emails(addresses: str) -> list[dict[str, Any]]:
    """A channel for each address of a list with commas."""
    given = [address.strip() for address in addresses.split(",")]
    return [{"kind": "email", "address": address} for address in given if "@" in address]
