"""Sending of alerts, one module per kind of channel.

The module of a kind and its libraries are only imported to send an alert of that kind, to keep them
out of the cold start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.channel import Channel, ChannelKind

if TYPE_CHECKING:
    from chalicelib.alerting.notifiers.ses import Mailer
    from chalicelib.probes.net.outbound import Outbound


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt. Every failure is retried, because its cause may be mended.
    `is_gone`: the receiver wants no more alerts, so the channel is disabled.

    Owners can read it, so it holds nothing of the response but the status code; `reason` is our own
    text. `retry_at` is the epoch second before which the receiver asked not to be called again.
    """

    is_sent: bool
    is_gone: bool = False
    status_code: int | None = None
    reason: str | None = None
    retry_at: int | None = None


@dataclass(frozen=True, slots=True)
class Notifiers:
    """Sends alerts. `outbound` and `mailer` are only called when needed."""

    outbound: Callable[[], "Outbound"]
    mailer: Callable[[], "Mailer"]

    def send(self, alert: Alert, channel: Channel, now: int) -> SendResult:
        """Make one attempt. Failures of the receiver are returned, not raised."""
        if channel.kind is ChannelKind.WEBHOOK:
            from chalicelib.alerting.notifiers.webhook import send_webhook  # noqa: PLC0415 - see above

            return send_webhook(alert, channel, self.outbound(), now)
        if channel.kind is ChannelKind.EMAIL:
            from chalicelib.alerting.notifiers.email import send_email  # noqa: PLC0415 - see above

            return send_email(alert, channel, self.mailer())
        from chalicelib.alerting.notifiers.apprise import send_chat  # noqa: PLC0415 - see above

        return send_chat(alert, channel, self.outbound(), now)
