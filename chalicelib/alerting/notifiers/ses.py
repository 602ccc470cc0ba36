"""Sending e-mail through Amazon SES (API version 2)."""

from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from chalicelib.alerting.notifiers.outcome import Outcome

# What SES says of the message or the address itself; all else may pass.
_PERMANENT: Final = frozenset({"BadRequestException", "MessageRejected", "NotFoundException"})


class Mailer:
    """Sends mail from one address, whose identity is verified with SES."""

    def __init__(self, client: Any, sender: str) -> None:
        self._client = client
        self._sender = sender

    @classmethod
    def connect(cls, region: str, sender: str) -> "Mailer":
        config = Config(connect_timeout=2, read_timeout=8, retries={"total_max_attempts": 2})
        return cls(get_session().create_client("sesv2", region_name=region, config=config), sender)

    def send(
        self, to: str, subject: str, text: str, html: str, *, same_as: str | None = None
    ) -> Outcome:
        """Send one mail. What SES answers is not shown beyond its code.

        `same_as` is the same for every attempt of one alert, and travels in headers: SES knows no
        idempotency and gives each mail a Message-ID of its own.
        """
        if not self._sender:
            return Outcome(is_sent=False, reason="this installation sends no e-mail")
        body = {"Text": _content(text), "Html": _content(html)}
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                Content={
                    "Simple": {
                        "Subject": _content(subject),
                        "Body": body,
                        "Headers": _headers(same_as),
                    }
                },
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            reason = f"the mail service refused it ({code})"
            return Outcome(is_sent=False, is_permanent=code in _PERMANENT, reason=reason)
        except BotoCoreError:
            return Outcome(is_sent=False, reason="the mail service does not answer")
        return Outcome(is_sent=True)


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _headers(same_as: str | None) -> list[dict[str, str]]:
    """What programs tell doubles by: Gmail and others group by the first, filters read either."""
    names = ("X-Entity-Ref-ID", "X-Monitum-Alert-Id") if same_as else ()
    return [{"Name": name, "Value": same_as or ""} for name in names]
