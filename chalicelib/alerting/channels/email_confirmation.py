"""Confirming an e-mail address: a link in a mail, and nothing else goes there before.

The link opens a page with a button: programs that look into mails follow links, but press nothing.
"""

import logging
from dataclasses import replace

from itsdangerous import BadSignature, URLSafeSerializer

from chalicelib.access.account_repository import Accounts
from chalicelib.access.usage import TransactionConflictError
from chalicelib.alerting.channel import Channel, ChannelKind
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.confirmation_limit import take_mail
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import ConflictError, MonitumError, NotFoundError, UnavailableError
from chalicelib.common.ids import is_id

_LOG = logging.getLogger(__name__)
_SALT = "confirm an address"
_LASTS_S = 7 * 86_400
MAILS_A_DAY = 10
"""Confirming mails that one owner may cause in a day, to whatever addresses."""


def ask_to_confirm(runtime: AlertingRuntime, channel: Channel) -> None:
    """Mail the link to the channel's address.

    Raises ConflictError where there is nothing to confirm or too much was mailed today,
    UnavailableError where the mail could not be sent.
    """
    if channel.kind is not ChannelKind.EMAIL or channel.address is None:
        raise ConflictError("only e-mail addresses are confirmed")
    if channel.confirmed_at is not None:
        raise ConflictError("the address is confirmed already")
    day = runtime.now // 86_400
    if not take_mail(channel.owner, day, MAILS_A_DAY):
        raise ConflictError(f"{MAILS_A_DAY} such mails a day is the most; try again tomorrow")
    link = f"{runtime.settings.public_url}/confirm/{_token(channel, runtime.now)}"
    sent = runtime.mailer.send(channel.address, "Confirm this address for alerts", *_mail(link))
    if not sent.is_sent:
        raise UnavailableError(f"the confirming mail was not sent: {sent.reason}")


def try_to_ask(runtime: AlertingRuntime, channel: Channel) -> None:
    """Mail the link, if that can be done now: it can be asked for again."""
    try:
        ask_to_confirm(runtime, channel)
    except MonitumError as error:
        _LOG.warning("not mailed", extra={"owner": channel.owner, "reason": error.detail})


def address_in(runtime: AlertingRuntime, token: str) -> str:
    """The address that a link is about; raises NotFoundError for one that is not ours, or old."""
    return _read(token, runtime.now).address or ""


def confirm(runtime: AlertingRuntime, token: str) -> str:
    """Let alerts go to the address, which is returned; raises NotFoundError or ConflictError."""
    channel = _read(token, runtime.now)
    with acting_for(channel.owner):
        after = replace(
            channel, confirmed_at=runtime.now, version=channel.version + 1, updated_at=runtime.now
        )
        try:
            Channels(channel.owner).change(channel, after)
        except TransactionConflictError:
            raise ConflictError("the channel has just been changed; open the link again") from None
    return channel.address or ""


def _token(channel: Channel, now: int) -> str:
    signed = _serializer(channel.owner).dumps([channel.id, channel.address, now])
    return f"{channel.owner}.{signed}"


def _read(token: str, now: int) -> Channel:
    owner, _, signed = token.partition(".")
    gone = NotFoundError("the link is not, or no longer, valid")
    if not is_id(owner):
        raise gone
    with acting_for(owner):
        try:
            channel_id, address, mailed_at = _serializer(owner).loads(signed)
            channel = Channels(owner).get(channel_id)
        except (BadSignature, NotFoundError):
            raise gone from None
    if channel.address != address or now >= mailed_at + _LASTS_S:
        raise gone
    return channel


def _serializer(owner: str) -> URLSafeSerializer:
    return URLSafeSerializer(Accounts(owner).user().cursor_key, salt=_SALT)


def _mail(link: str) -> tuple[str, str]:
    text = (
        "Somebody wants alerts from Monitum to be sent to this address.\n\n"
        f"If it was you, open this page of its installation and confirm it:\n{link}\n\n"
        "If not, do nothing: nothing else will be sent here.\n"
    )
    html = (
        "<p>Somebody wants alerts from Monitum to be sent to this address.</p>"
        f'<p><a href="{link}">Confirm this address</a></p>'
        "<p>If it was not you, do nothing: nothing else will be sent here.</p>"
    )
    return text, html
