"""The notifiers: every kind of channel behind one door.

`Notifiers` gets what it sends with from the composition root; a kind's own library is imported only
when an alert of that kind is sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.channel import Channel, ChannelKind
from chalicelib.alerting.notifiers.outcome import Outcome

if TYPE_CHECKING:
    from chalicelib.alerting.notifiers.ses import Mailer
    from chalicelib.probes.net.outbound import Outbound


@dataclass(frozen=True, slots=True)
class Notifiers:
    """Sends alerts. `outbound` and `mailer` are made when they are first asked for."""

    outbound: Callable[[], "Outbound"]
    mailer: Callable[[], "Mailer"]

    def send(self, alert: Alert, channel: Channel, now: int) -> Outcome:
        """Try once to have the channel take the alert. Never raises for what a receiver does."""
        if channel.kind is ChannelKind.WEBHOOK:
            from chalicelib.alerting.notifiers.webhook import send_webhook  # noqa: PLC0415 - see above

            return send_webhook(alert, channel, self.outbound(), now)
        if channel.kind is ChannelKind.EMAIL:
            from chalicelib.alerting.notifiers.email import send_email  # noqa: PLC0415 - see above

            return send_email(alert, channel, self.mailer())
        from chalicelib.alerting.notifiers.apprise import send_chat  # noqa: PLC0415 - see above

        return send_chat(alert, channel, self.outbound(), now)
