"""What is counted together with a change: what owners have, and what hosts are asked.

Counts are written in the transaction of the change itself, so that they are exact, whatever dies.
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


class UsageChangedError(Exception):
    """Another write came between: what was read is not what is stored any more."""


@dataclass(frozen=True, slots=True)
class UsageChange:
    """`change` more of the owner's `noun`, of which there may be `most`.

    `hosts` are asked so many more checks a day, up to `hosts_most`, over all owners.
    """

    noun: str = ""
    change: int = 0
    most: int = 0
    hosts: Mapping[str, int] = field(default_factory=dict)
    hosts_most: int = 0

    @property
    def names(self) -> list[str]:
        """The items that belong to no owner, to be acted for beside the owner."""
        return [_host(name) for name in self.hosts]


NOTHING: Final = UsageChange()


@contextmanager
def transaction() -> Iterator[TransactWrite]:
    """A transaction whose failed condition is a ChangedError."""
    try:
        with TransactWrite(connection=connection()) as write:
            yield write
    except TransactWriteError as error:
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise UsageChangedError from None
        raise


def enter(write: TransactWrite, owner: str, ledger: UsageChange) -> None:
    """Count `ledger` with a transaction, which fails where something would become too much."""
    if ledger.change:
        count = Path([ledger.noun])
        condition = count.does_not_exist() | (count <= ledger.most - ledger.change)
        write.update(
            UsageItem(owner, _USAGE),
            [count.set((count | 0) + ledger.change)],
            condition=condition if ledger.change > 0 else None,
        )
    checks = Path(["checks"])
    for name, more in ledger.hosts.items():
        condition = checks.does_not_exist() | (checks <= ledger.hosts_most - more)
        write.update(
            SystemItem(_host(name)),
            [checks.set((checks | 0) + more)],
            condition=condition if more > 0 else None,
        )


def used(owner: str) -> dict[str, int]:
    """How much of what the owner has."""
    try:
        item = UsageItem.get(owner, _USAGE, consistent_read=True)
    except DoesNotExist:
        return dict.fromkeys(NOUNS, 0)
    return {noun: int(getattr(item, noun) or 0) for noun in NOUNS}


def asked_of(host: str) -> int:
    """How many checks a day a host is asked by all owners together."""
    try:
        return int(SystemItem.get(_host(host), consistent_read=True).checks or 0)
    except DoesNotExist:
        return 0


def _host(name: str) -> str:
    return f"host:{name}"
