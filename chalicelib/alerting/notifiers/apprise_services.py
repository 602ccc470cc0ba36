"""The supported chat and paging services, by the scheme of their apprise URL."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# scheme: (apprise's module, class of the plugin). apprise's documentation shows the URLs. The list
# is explicit, because only plugins that send everything through `requests` can be guarded.
SERVICES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "discord": ("discord", "NotifyDiscord"),
        "gchat": ("google_chat", "NotifyGoogleChat"),
        "gotify": ("gotify", "NotifyGotify"),
        "gotifys": ("gotify", "NotifyGotify"),
        "matrix": ("matrix", "NotifyMatrix"),
        "matrixs": ("matrix", "NotifyMatrix"),
        "mmost": ("mattermost", "NotifyMattermost"),
        "mmosts": ("mattermost", "NotifyMattermost"),
        "ntfy": ("ntfy", "NotifyNtfy"),
        "ntfys": ("ntfy", "NotifyNtfy"),
        "opsgenie": ("opsgenie", "NotifyOpsgenie"),
        "pagerduty": ("pagerduty", "NotifyPagerDuty"),
        "pbul": ("pushbullet", "NotifyPushBullet"),
        "pover": ("pushover", "NotifyPushover"),
        "rocket": ("rocketchat", "NotifyRocketChat"),
        "rockets": ("rocketchat", "NotifyRocketChat"),
        "signl4": ("signl4", "NotifySIGNL4"),
        "slack": ("slack", "NotifySlack"),
        "splunk": ("splunk", "NotifySplunk"),
        "tgram": ("telegram", "NotifyTelegram"),
        "victorops": ("splunk", "NotifySplunk"),
        "webex": ("webexteams", "NotifyWebexTeams"),
        "workflows": ("workflows", "NotifyWorkflows"),
        "zulip": ("zulip", "NotifyZulip"),
    }
)


def scheme_of(url: str) -> str:
    """The scheme of a URL in lower case; empty if it has none."""
    scheme, colon, _ = url.partition("://")
    return scheme.lower() if colon else ""
