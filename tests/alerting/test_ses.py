"""Email through SES."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.alerting.notifiers.ses import Mailer


class FakeSes:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[dict[str, Any]] = []

    def send_email(self, **mail: Any) -> None:
        if self.error:
            raise self.error
        self.sent.append(mail)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret words"}}, "SendEmail")


def test_email_has_text_and_html() -> None:
    ses = FakeSes()
    assert Mailer(ses, "monitum@x.example").send("a@b.example", "Down", "text", "<p>").is_sent
    (mail,) = ses.sent
    assert mail["Destination"] == {"ToAddresses": ["a@b.example"]}
    assert mail["Content"]["Simple"]["Body"]["Html"] == {"Data": "<p>", "Charset": "UTF-8"}


def test_attempts_of_an_alert_have_the_same_id_headers() -> None:
    ses = FakeSes()
    mailer = Mailer(ses, "monitum@x.example")
    for _ in range(2):
        mailer.send("a@b.example", "Down", "text", "<p>", alert_id="0190c1de")
    first, second = (mail["Content"]["Simple"]["Headers"] for mail in ses.sent)
    assert first == second
    assert {"Name": "X-Entity-Ref-ID", "Value": "0190c1de"} in first


@pytest.mark.parametrize(
    "error", [refusal("MessageRejected"), EndpointConnectionError(endpoint_url="https://ses")]
)
def test_error_of_ses_is_reported_without_its_message(error: Exception) -> None:
    sent = Mailer(FakeSes(error), "monitum@x.example").send("a@b.example", "s", "t", "h")
    assert not sent.is_sent
    assert "the email service" in str(sent.reason)
    assert "secret" not in str(sent.reason)


def test_nothing_is_sent_without_a_sender() -> None:
    ses = FakeSes()
    assert not Mailer(ses, "").send("a@b.example", "s", "t", "h").is_sent
    assert ses.sent == []
