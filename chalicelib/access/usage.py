"""Usage counters: the number of each owner's resources, and the checks a day of each host.

Counters are written in the transaction of the change they count, so that they stay exact even if
the function is killed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.expressions.operand import Path
from pynamodb.transactions import TransactWrite

from chalicelib.access.models import UsageItem
from chalicelib.aws.dynamodb import connection
from chalicelib.aws.system_table import SystemItem

NOUNS: Final = ("targets", "channels", "tokens", "pages")
_USAGE: Final = "usage"


class TransactionConflictError(Exception):
    """A condition of the transaction failed, or a concurrent write got in its way."""


@dataclass(frozen=True, slots=True)
class UsageChange:
    """A change of the owner's number of `noun` by `change`, up to `limit`.

    `hosts` maps each host to the change of its checks a day, which all owners together may raise up
    to `host_limit`.
    """

    noun: str = ""
    change: int = 0
    limit: int = 0
    hosts: Mapping[str, int] = field(default_factory=dict)
    host_limit: int = 0

    @property
    def system_keys(self) -> list[str]:
        """The keys of the hosts' counters, for `acting_for`: they belong to no owner."""
        return [_host(name) for name in self.hosts]


NO_CHANGE: Final = UsageChange()


@contextmanager
def transaction() -> Iterator[TransactWrite]:
    """A DynamoDB transaction; raises TransactionConflictError if a condition fails."""
    try:
        with TransactWrite(connection=connection()) as write:
            yield write
    except TransactWriteError as error:
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise TransactionConflictError from None
        raise


def apply_usage(write: TransactWrite, owner: str, usage: UsageChange) -> None:
    """Add the counters to a transaction, on the condition that no limit is exceeded.

    A decrease is unconditional: it must succeed even after a limit was lowered.
    """
    if usage.change:
        count = Path([usage.noun])
        condition = count.does_not_exist() | (count <= usage.limit - usage.change)
        write.update(
            UsageItem(owner, _USAGE),
            [count.set((count | 0) + usage.change)],
            condition=condition if usage.change > 0 else None,
        )
    checks = Path(["checks"])
    for name, more in usage.hosts.items():
        condition = checks.does_not_exist() | (checks <= usage.host_limit - more)
        write.update(
            SystemItem(_host(name)),
            [checks.set((checks | 0) + more)],
            condition=condition if more > 0 else None,
        )


def used(owner: str) -> dict[str, int]:
    """The owner's number of resources by noun."""
    try:
        item = UsageItem.get(owner, _USAGE, consistent_read=True)
    except DoesNotExist:
        return dict.fromkeys(NOUNS, 0)
    return {noun: int(getattr(item, noun) or 0) for noun in NOUNS}


def host_checks(host: str) -> int:
    """The checks a day of a host, by all owners together."""
    try:
        return int(SystemItem.get(_host(host), consistent_read=True).checks or 0)
    except DoesNotExist:
        return 0


def _host(name: str) -> str:
    return f"host:{name}"
