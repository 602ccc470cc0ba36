"""The Lambda concurrency that a stage may use, by the limit of its account."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deployment import concurrency
from ops.stages import Stage


class UnknownFunctionError(Exception):
    pass


class Account:
    """The part of a Lambda client that concerns limits."""

    exceptions = SimpleNamespace(ResourceNotFoundException=UnknownFunctionError)

    def __init__(self, unreserved: int | None, reserved: int | None) -> None:
        self.unreserved, self.reserved = unreserved, reserved

    def get_account_settings(self) -> dict[str, Any]:
        if self.unreserved is None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetAccountSettings")
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.unreserved}}

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert FunctionName == "monitum-prod-rollup"
        if self.reserved is None:
            raise UnknownFunctionError
        return {"ReservedConcurrentExecutions": self.reserved} if self.reserved else {}


@pytest.mark.parametrize(
    ("unreserved", "reserved", "level"),
    [
        (10, None, "10"), (50, 0, "10"), (5, None, "10"),
        (400, 0, "100"), (999, 0, "100"),
        (1_000, None, "1000"), (950, 50, "1000"), (5_000, 50, "1000"),
        (None, None, "10"),
    ],
)  # fmt: skip
def test_the_level_follows_from_the_account(
    monkeypatch: pytest.MonkeyPatch, unreserved: int | None, reserved: int | None, level: str
) -> None:
    monkeypatch.setattr(Stage, "client", lambda *_: Account(unreserved, reserved))

    assert concurrency.level(Stage("prod")) == level
