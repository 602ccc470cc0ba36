"""Alerts by email, as plain text and as HTML with everything escaped."""

from html import escape

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.channel import Channel
from chalicelib.alerting.notifiers import SendResult
from chalicelib.alerting.notifiers.ses import Mailer


def send_email(alert: Alert, channel: Channel, mailer: Mailer) -> SendResult:
    """Send the alert to the channel's address, which has been confirmed."""
    text = "\n".join([alert.title, "", *alert.lines, ""])
    items = "".join(_item(*entry) for entry in alert.entries)
    html = f"<h1>{escape(alert.title)}</h1><ul>{items}</ul>"
    subject = f"[Monitum] {alert.title}"
    return mailer.send(channel.address or "", subject, text, html, alert_id=alert.id)


def _item(text: str, link: str | None) -> str:
    anchor = f'<br><a href="{escape(link)}">{escape(link)}</a>' if link else ""
    return f"<li>{escape(text)}{anchor}</li>"
