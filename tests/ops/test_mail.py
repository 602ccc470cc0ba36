"""What a deployment says about email: SES sends nothing at first."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deployment import cloudformation, mail
from ops.stages import Stage

SENDER = "alerts@example.com"


class NotFound(Exception):
    """SES does not know the identity."""


@dataclass
class FakeSes:
    """SES of an account: its identities, whether they are verified, and whether it may send."""

    identities: dict[str, bool] = field(default_factory=dict)
    production: bool = False
    denied: bool = False
    exceptions = SimpleNamespace(NotFoundException=NotFound)

    def get_email_identity(self, *, EmailIdentity: str) -> dict[str, Any]:  # noqa: N803 - AWS's
        if EmailIdentity not in self.identities:
            raise NotFound
        return {"VerifiedForSendingStatus": self.identities[EmailIdentity]}

    def get_account(self) -> dict[str, Any]:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetAccount")
        return {"ProductionAccessEnabled": self.production}


@pytest.mark.parametrize(
    ("sender", "ses", "advice"),
    [
        ("", FakeSes(), "MAIL_FROM="),
        (SENDER, FakeSes(), f"verify {SENDER}"),
        (SENDER, FakeSes({SENDER: False}), f"verify {SENDER}"),
        (SENDER, FakeSes({SENDER: True}), "production access"),
        (SENDER, FakeSes({"example.com": True}), "production access"),
        (SENDER, FakeSes({SENDER: True}, denied=True), "AccessDenied"),
    ],
)
def test_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, sender: str, ses: FakeSes, advice: str
) -> None:
    assert advice in advice_for(monkeypatch, Stage("prod"), sender, ses)


def test_it_says_nothing_if_email_works(monkeypatch: pytest.MonkeyPatch) -> None:
    ses = FakeSes({SENDER: False, "example.com": True}, production=True)

    assert advice_for(monkeypatch, Stage("prod"), SENDER, ses) == ""
    assert advice_for(monkeypatch, Stage("localstack", "http://h:1"), "", ses) == ""


def advice_for(monkeypatch: pytest.MonkeyPatch, stage: Stage, sender: str, ses: FakeSes) -> str:
    parameters = [{"ParameterKey": "MailFrom", "ParameterValue": sender}]
    monkeypatch.setattr(cloudformation, "find", lambda _stage: {"Parameters": parameters})
    monkeypatch.setattr(Stage, "client", lambda _stage, _service: ses)
    return mail.advice(stage)
