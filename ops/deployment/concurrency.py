"""The part of an account's Lambda concurrency that a stage may use."""

from typing import Any, Final

from botocore.exceptions import ClientError

from ops.console import say
from ops.stages import Stage

LEVELS: Final = (1_000, 100, 10)
"""The limits for which the template has values, highest first; a new account has 10."""


def level(stage: Stage) -> str:
    """The value of the template's parameter `Concurrency` for the stage's account and region.

    It is the account's limit without what its other functions have reserved, rounded down.
    """
    client = stage.client("lambda")
    try:
        limits = client.get_account_settings()["AccountLimit"]
        available = limits["UnreservedConcurrentExecutions"] + _own_reservation(stage, client)
    except ClientError as error:
        say(f"  assuming the Lambda concurrency of a new account: {error}")
        available = LEVELS[-1]
    return str(next((limit for limit in LEVELS if limit <= available), LEVELS[-1]))


def _own_reservation(stage: Stage, client: Any) -> int:
    try:
        found = client.get_function_concurrency(FunctionName=f"{stage.stack_name}-rollup")
    except client.exceptions.ResourceNotFoundException:
        return 0
    return int(found.get("ReservedConcurrentExecutions", 0))
