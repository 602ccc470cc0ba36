"""Request counts by token and minute, and failed authentications by address and minute."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.access.models import Account
from chalicelib.access.rate_limit import WINDOW_S, Minute
from chalicelib.aws.system_table import SystemItem
from chalicelib.aws.tenancy import acting_for

_KEPT_S: Final = 2 * WINDOW_S
Raw = Mapping[str, Mapping[str, Any]]


def minute_key(token_id: str, minute: int) -> str:
    """The sort key of a token's counts in a minute; minutes are counted from the epoch."""
    return f"rate:{token_id}:{minute}"


def count_request(
    owner: str, token_id: str, now: int, starts: Mapping[str, int], buckets: Iterable[str]
) -> dict[str, Minute]:
    """Count one request in each of `buckets`; returns the minute's counts including it.

    `starts` has each bucket's level at the start of the minute. It is stored by the first request
    of the minute only, so that all later ones replay from the same level.
    """
    minute, second = divmod(now, WINDOW_S)
    actions: list[Action] = [Path([f"{name}{second}"]).add(1) for name in buckets]
    actions += [
        Path([f"{name}_start"]).set(Path([f"{name}_start"]) | level)
        for name, level in starts.items()
    ]
    actions += [
        Path(["what"]).set("rate"),
        Path(["expires"]).set((minute + 1) * WINDOW_S + _KEPT_S),
    ]
    response = Account._get_connection().update_item(  # noqa: SLF001 - the counts have no fixed names
        owner, minute_key(token_id, minute), actions=actions, return_values="ALL_NEW"
    )
    return read_minutes(response["Attributes"], starts)


def read_minutes(item: Raw, names: Iterable[str]) -> dict[str, Minute]:
    """Parse the stored counts of a minute by bucket; buckets without requests are left out."""
    return {
        name: Minute(
            int(item[f"{name}_start"]["N"]),
            {
                int(key.removeprefix(name)): int(value["N"])
                for key, value in item.items()
                if key.startswith(name) and key.removeprefix(name).isdecimal()
            },
        )
        for name in names
        if f"{name}_start" in item
    }


def count_failure(address: str, now: int, limit: int) -> bool:
    """Count a failed authentication of an address; False beyond `limit` in this minute.

    The condition is part of the write, so concurrent failures cannot exceed the limit.
    """
    minute = now // WINDOW_S
    name = f"failures:{address}:{minute}"
    failures = Path(["failures"])
    item = SystemItem(name)
    with acting_for(name):
        try:
            item.update(
                [
                    failures.set((failures | 0) + 1),
                    SystemItem.expires.set((minute + 1) * WINDOW_S + _KEPT_S),
                ],
                condition=failures.does_not_exist() | (failures < limit),
            )
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return False
    return True
