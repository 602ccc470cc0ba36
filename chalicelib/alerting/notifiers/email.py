"""Alerts by e-mail: plain text and the same as HTML, everything from outside escaped."""

from html import escape

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.channel import Channel
from chalicelib.alerting.notifiers.outcome import Outcome
from chalicelib.alerting.notifiers.ses import Mailer


def send_email(alert: Alert, channel: Channel, mailer: Mailer) -> Outcome:
    """Mail the alert, if the address was confirmed by its owner."""
    if channel.confirmed_at is None or channel.address is None:
        reason = "the address is not confirmed yet"
        return Outcome(is_sent=False, is_permanent=True, reason=reason)
    subject = f"[Monitum] {alert.title}"
    return mailer.send(channel.address, subject, as_text(alert), as_html(alert), same_as=alert.id)


def as_text(alert: Alert) -> str:
    """The mail's plain text."""
    return "\n".join([alert.title, "", *alert.lines, ""])


def as_html(alert: Alert) -> str:
    """The mail's HTML: a heading and a list."""
    items = "".join(f"<li>{escape(line)}</li>" for line in alert.lines)
    return f"<h1>{escape(alert.title)}</h1><ul>{items}</ul>"
