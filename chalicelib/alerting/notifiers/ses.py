"""Sending of email through Amazon SES (API version 2)."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from chalicelib.alerting.notifiers import SendResult


class Mailer:
    """Sends email from one address, whose identity is verified with SES."""

    def __init__(self, client: Any, sender: str) -> None:
        self._client = client
        self._sender = sender

    @classmethod
    def connect(cls, region: str, sender: str) -> "Mailer":
        config = Config(connect_timeout=2, read_timeout=8, retries={"total_max_attempts": 2})
        return cls(get_session().create_client("sesv2", region_name=region, config=config), sender)

    def send(
        self, to: str, subject: str, text: str, html: str, *, alert_id: str | None = None
    ) -> SendResult:
        """Send one email.

        SES has no idempotency and gives every attempt a new Message-ID, so `alert_id` is sent in
        headers by which programs recognize duplicates: Gmail and others group by the first.
        """
        if not self._sender:
            return SendResult(is_sent=False, reason="this installation does not send email")
        names = ("X-Entity-Ref-ID", "X-Monitum-Alert-Id") if alert_id else ()
        content = {
            "Subject": _utf8(subject),
            "Body": {"Text": _utf8(text), "Html": _utf8(html)},
            "Headers": [{"Name": name, "Value": alert_id} for name in names],
        }
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                Content={"Simple": content},
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            reason = f"the email service refused the message ({code})"
            return SendResult(is_sent=False, reason=reason)
        except BotoCoreError:
            return SendResult(is_sent=False, reason="the email service does not respond")
        return SendResult(is_sent=True)


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
