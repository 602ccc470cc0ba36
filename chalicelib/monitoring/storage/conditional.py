"""Conditional writes."""

from collections.abc import Callable

from pynamodb.exceptions import PynamoDBException

_FAILED = "ConditionalCheckFailedException"


def write_if(write: Callable[[], object]) -> bool:
    """Run a conditional write; return False if its condition failed. Other errors are raised."""
    try:
        write()
    except PynamoDBException as error:
        if error.cause_response_code != _FAILED:
            raise
        return False
    return True
