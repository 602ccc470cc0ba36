"""The items of the table `users`. Times are epoch seconds."""

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.aws.dynamodb import Owned


class Directory(GlobalSecondaryIndex["Account"]):
    """All users in one partition, for the list that admins see; tokens are not in it."""

    class Meta:
        index_name = "directory"
        projection = AllProjection()

    directory = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(range_key=True)


class Account(Owned):
    """The base of an owner's user and token items."""

    TABLE = "users"

    what = DiscriminatorAttribute()
    name = UnicodeAttribute()
    created_at = NumberAttribute()
    directory_index = Directory()


class User(Account, discriminator="user"):
    """Key `user`. A disabled user's tokens do not work; `cursor_key` signs the user's cursors.

    `limits` override the stage's limits, see common/limits.py.
    """

    directory = UnicodeAttribute(default="users")
    admin = BooleanAttribute(default=False)
    disabled = BooleanAttribute(default=False)
    cursor_key = UnicodeAttribute()
    limits = JSONAttribute(null=True)


class Token(Account, discriminator="token"):
    """Key `token:<id>`. Only the hash of the token is stored."""

    hash = UnicodeAttribute()
    hint = UnicodeAttribute()
    scopes = JSONAttribute()
    expires_at = NumberAttribute(null=True)
    last_used_at = NumberAttribute(null=True)


class IdempotencyItem(Owned):
    """Key `once:<hash of the Idempotency-Key>`: the request it was sent with, and the id created.

    `answer` is the first response, packed by access/idempotency.py; it is set once `done` is true.
    """

    TABLE = "users"

    fingerprint = UnicodeAttribute()
    made = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)
    done = BooleanAttribute(default=False)
    answer = BinaryAttribute(legacy_encoding=False, null=True)
    expires = NumberAttribute()


class UsageItem(Owned):
    """Key `usage`: the number of the owner's resources, see access/usage.py."""

    TABLE = "users"

    targets = NumberAttribute(null=True)
    channels = NumberAttribute(null=True)
    tokens = NumberAttribute(null=True)
    pages = NumberAttribute(null=True)


class AuditItem(Owned):
    """Key `audit:<id>`: one change, see access/audit.py."""

    TABLE = "users"

    at = NumberAttribute()
    user = UnicodeAttribute()
    token_id = UnicodeAttribute()
    token_name = UnicodeAttribute()
    request_id = UnicodeAttribute()
    action = UnicodeAttribute()
    thing = UnicodeAttribute()
    name = UnicodeAttribute()
    fields = JSONAttribute(null=True)
    expires = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.key).removeprefix("audit:")


class MailsItem(Owned):
    """Key `mails:<epoch day>`: the number of confirmation emails sent for the owner that day."""

    TABLE = "users"

    sent = NumberAttribute(null=True)
    expires = NumberAttribute()
