"""Uptime Kuma's notifications as channels."""

import json
from collections.abc import Mapping
from typing import Any

from monitum_cli.importers import services
from monitum_cli.importers.common import Imported


def take_all(imported: Imported, given: Any) -> dict[str, list[str]]:
    """The names of the channels that each notification becomes, by its number."""
    channels: dict[str, list[str]] = {}
    for one in given if isinstance(given, list) else []:
        with imported.item(f"notification {one.get('name') if isinstance(one, dict) else one}"):
            channels[str(one.get("id"))] = _take(imported, one)
    return channels


def _take(imported: Imported, notification: Mapping[str, Any]) -> list[str]:
    """The names of the channels that a notification becomes; what cannot be is left out."""
    name = str(notification.get("name") or "unnamed")
    config = notification.get("config") or {}
    given = json.loads(config) if isinstance(config, str) else config
    kind = str(given.get("type"))
    made = _made_channels(kind, {key: str(value) for key, value in given.items()})
    if not made or notification.get("active") is False:
        why = f"{kind!r} cannot be told from here" if not made else "it is switched off"
        imported.leave_out(f"notification {name}", why)
        return []
    imported.secrets += sum(one["kind"] == "apprise" for one in made)
    if kind == "webhook":
        imported.note(
            f"notification {name}", "its receiver gets Monitum's alerts, signed, not Kuma's"
        )
    return [imported.add_channel(name, one) for one in made]


def _made_channels(kind: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    def field(name: str) -> str:
        return given.get(name, "")

    if kind == "smtp":
        return services.emails(field("smtpTo"))
    made = {
        "webhook": lambda: services.webhook(field("webhookURL")),
        "slack": lambda: services.chat(services.slack(field("slackwebhookURL"))),
        "discord": lambda: services.chat(services.discord(field("discordWebhookUrl"))),
        "telegram": lambda: services.chat(
            services.telegram(field("telegramBotToken"), field("telegramChatID"))
        ),
        "ntfy": lambda: services.chat(services.ntfy(field("ntfyserverurl"), field("ntfytopic"))),
        "gotify": lambda: services.chat(
            services.gotify(field("gotifyserverurl"), field("gotifyapplicationToken"))
        ),
        "pushover": lambda: services.chat(
            services.pushover(field("pushoveruserkey"), field("pushoverapptoken"))
        ),
        "apprise": lambda: services.chat(field("appriseURL") or None),
    }.get(kind, lambda: None)()
    return [made] if made else []
