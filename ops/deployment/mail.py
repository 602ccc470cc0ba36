"""Finds out what keeps a stage from sending email."""

from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import cloudformation
from ops.stages import Stage


def advice(stage: Stage) -> str:
    """What to do before email channels work, in one sentence; empty if they work."""
    if stage.endpoint_url:
        return ""
    sender = cloudformation.parameters(cloudformation.find(stage)).get("MailFrom", "")
    if not sender:
        command = f"make deploy STAGE={stage.name} MAIL_FROM=alerts@example.com"
        return f"no email is sent until you verify a sender with SES and run {command}"
    client = stage.client("sesv2")
    try:
        if not any(_is_verified(client, name) for name in (sender, sender.partition("@")[2])):
            return f"no email is sent until you verify {sender} or its domain with SES"
        if not client.get_account()["ProductionAccessEnabled"]:
            return (
                "email reaches only addresses that are verified with SES until you request "
                "production access for SES in the AWS console"
            )
    except ClientError as error:
        return f"check in the AWS console that SES may send from {sender}: {error}"
    return ""


def _is_verified(client: Any, identity: str) -> bool:
    try:
        found = client.get_email_identity(EmailIdentity=identity)
    except client.exceptions.NotFoundException:
        return False
    return bool(found["VerifiedForSendingStatus"])
