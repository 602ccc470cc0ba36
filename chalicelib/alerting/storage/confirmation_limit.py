"""How many confirming mails an owner has caused in a day."""

from pynamodb.exceptions import UpdateError

from chalicelib.access.models import MailsItem

_DAY_S = 86_400


def take_mail(owner: str, day: int, most: int) -> bool:
    """Count one more mail on an epoch day; False where there were `most` already."""
    item = MailsItem(owner, f"mails:{day}")
    try:
        item.update(
            [MailsItem.sent.add(1), MailsItem.expires.set((day + 2) * _DAY_S)],
            condition=MailsItem.sent.does_not_exist() | (MailsItem.sent < most),
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True
