"""Confirmation of email addresses by a link, before any alert is sent to them.

The link opens a page with a button, because mail scanners follow links but do not submit forms.
"""

import logging
from dataclasses import replace
from functools import partial

from itsdangerous import BadSignature, URLSafeSerializer
from pynamodb.expressions.update import Action

from chalicelib.access.account_repository import Accounts
from chalicelib.access.models import MailsItem
from chalicelib.access.usage import TransactionConflictError
from chalicelib.alerting.channel import Channel, ChannelKind
from chalicelib.alerting.resumption import resume_deliveries
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import ConflictError, MonitumError, NotFoundError, UnavailableError
from chalicelib.common.ids import is_id
from chalicelib.monitoring.storage.conditional import write_if

_LOG = logging.getLogger(__name__)
_SALT = "confirm an address"
_DAY_S = 86_400
_VALID_S = 7 * _DAY_S
_MAX_PER_DAY = 10
"""Confirmation emails per owner and day, over all addresses, so that nobody can be spammed."""


def send_confirmation(runtime: AlertingRuntime, channel: Channel, public_url: str) -> None:
    """Send the link, a page of the API at `public_url`, to the channel's address.

    Raises ConflictError if there is nothing to confirm or the daily limit is reached,
    UnavailableError if the email could not be sent.
    """
    if channel.kind is not ChannelKind.EMAIL or channel.address is None:
        raise ConflictError("only email channels are confirmed; this channel has another `kind`")
    if channel.confirmed_at is not None:
        raise ConflictError("the `address` is already confirmed")
    if not public_url:
        raise UnavailableError("the confirmation email was not sent: set PUBLIC_URL for its link")
    if not _count_email(channel.owner, runtime.now // _DAY_S):
        raise ConflictError(f"at most {_MAX_PER_DAY} confirmation emails a day; try again tomorrow")
    link = f"{public_url}/confirm/{_token(channel, runtime.now)}"
    result = runtime.mailer.send(
        channel.address, "Confirm this address for alerts", *_text_and_html(link)
    )
    if not result.is_sent:
        raise UnavailableError(f"the confirmation email was not sent: {result.reason}")


def try_to_send_confirmation(runtime: AlertingRuntime, channel: Channel, public_url: str) -> None:
    """Send the link; failures are only logged, because it can be requested again."""
    try:
        send_confirmation(runtime, channel, public_url)
    except MonitumError as error:
        _LOG.warning(
            "confirmation email not sent", extra={"owner": channel.owner, "reason": error.detail}
        )


def pending_address(runtime: AlertingRuntime, token: str) -> str:
    """The address that a link confirms; raises NotFoundError if it is invalid or expired."""
    return _read(token, runtime.now).address or ""


def confirm(runtime: AlertingRuntime, token: str) -> str:
    """Confirm the address and return it; raises NotFoundError or ConflictError."""
    channel = _read(token, runtime.now)
    if channel.confirmed_at is not None:
        return channel.address or ""
    with acting_for(channel.owner):
        after = replace(
            channel, confirmed_at=runtime.now, version=channel.version + 1, updated_at=runtime.now
        )
        try:
            Channels(channel.owner).change(channel, after)
        except TransactionConflictError:
            raise ConflictError(
                "the channel was changed by another request; open the link again"
            ) from None
        resume_deliveries(runtime, after)
    return channel.address or ""


def _count_email(owner: str, day: int) -> bool:
    """Count an email on an epoch day; False if the limit was reached."""
    item = MailsItem(owner, f"mails:{day}")
    actions: list[Action] = [MailsItem.sent.add(1), MailsItem.expires.set((day + 2) * _DAY_S)]
    below = MailsItem.sent.does_not_exist() | (MailsItem.sent < _MAX_PER_DAY)
    return write_if(partial(item.update, actions, condition=below))


def _token(channel: Channel, now: int) -> str:
    signed = _serializer(channel.owner).dumps([channel.id, channel.address, now])
    return f"{channel.owner}.{signed}"


def _read(token: str, now: int) -> Channel:
    owner, _, signed = token.partition(".")
    invalid = NotFoundError("the link is invalid or has expired; request another confirmation")
    if not is_id(owner):
        raise invalid
    with acting_for(owner):
        try:
            channel_id, address, sent_at = _serializer(owner).loads(signed)
            channel = Channels(owner).get(channel_id)
        except (BadSignature, NotFoundError):
            raise invalid from None
    if channel.address != address or now >= sent_at + _VALID_S:
        raise invalid
    return channel


def _serializer(owner: str) -> URLSafeSerializer:
    return URLSafeSerializer(Accounts(owner).user().cursor_key, salt=_SALT)


def _text_and_html(link: str) -> tuple[str, str]:
    text = (
        "Somebody wants alerts from Monitum to be sent to this address.\n\n"
        f"If this was you, open this page and confirm the address:\n{link}\n\n"
        "If not, ignore this email: nothing else will be sent to you.\n"
    )
    html = (
        "<p>Somebody wants alerts from Monitum to be sent to this address.</p>"
        f'<p><a href="{link}">Confirm this address</a></p>'
        "<p>If this was not you, ignore this email: nothing else will be sent to you.</p>"
    )
    return text, html
