"""Alerts by email, as plain text and as HTML with everything escaped."""

from html import escape

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.channel import Channel
from chalicelib.alerting.notifiers import SendResult
from chalicelib.alerting.notifiers.ses import Mailer


def send_email(alert: Alert, channel: Channel, mailer: Mailer) -> SendResult:
    """Send the alert if the channel's address has been confirmed."""
    if channel.confirmed_at is None or channel.address is None:
        reason = "the address is not confirmed yet"
        return SendResult(is_sent=False, is_permanent=True, reason=reason)
    text = "\n".join([alert.title, "", *alert.lines, ""])
    items = "".join(f"<li>{escape(line)}</li>" for line in alert.lines)
    html = f"<h1>{escape(alert.title)}</h1><ul>{items}</ul>"
    subject = f"[Monitum] {alert.title}"
    return mailer.send(channel.address, subject, text, html, alert_id=alert.id)
