"""Errors and exit codes."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

FieldPath = tuple[str | int, ...]
"""The keys and list indexes that lead to a field."""


class ExitCode(IntEnum):
    """The exit codes, documented in docs/cli.md. Scripts depend on them: never change one."""

    OK = 0
    FAILED = 1
    """Any failure without a code of its own."""
    USAGE = 2
    DENIED = 3
    """Not logged in, or the token is rejected or lacks a scope."""
    NOT_FOUND = 4
    """Nothing matches, or a name or ID prefix is ambiguous."""
    CONFLICT = 5
    """Changed by somebody else in the meantime, or not allowed in the current state."""
    INVALID = 6
    """Invalid file or value."""
    RATE_LIMITED = 7
    """Still rate limited after the longest wait."""
    UNREACHABLE = 8
    """Network error, no response, or a server error."""
    PARTIAL = 9
    """Some steps of `apply` failed; applying again retries them."""
    NEGATIVE = 10
    """The command worked, and its result is negative: the target is down, changes are pending."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141


_EXIT_CODES = {
    400: ExitCode.INVALID,
    401: ExitCode.DENIED,
    403: ExitCode.DENIED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.CONFLICT,
    412: ExitCode.CONFLICT,
    413: ExitCode.INVALID,
    422: ExitCode.INVALID,
    429: ExitCode.RATE_LIMITED,
}


class CliError(Exception):
    """Ends the command. The message is one line: what is wrong and what to do about it."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, exit_code: ExitCode | None = None) -> None:
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code

    def as_json(self) -> dict[str, Any]:
        """The error as `--json` prints it."""
        return {"message": str(self), "exit_code": int(self.exit_code)}


class ApiError(CliError):
    """An error response of the API.

    `field_errors` are its invalid fields with a message each. `problem` is the response's problem
    document, None if the response has none.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        field_errors: tuple[tuple[FieldPath, str], ...] = (),
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        listed = "; ".join(
            f"{'.'.join(map(str, path)) or 'body'}: {message}" for path, message in field_errors
        )
        exit_code = ExitCode.UNREACHABLE if status >= 500 else ExitCode.FAILED
        super().__init__(
            f"{detail}: {listed}" if listed else detail, _EXIT_CODES.get(status, exit_code)
        )
        self.status, self.field_errors, self.problem = status, field_errors, problem

    def as_json(self) -> dict[str, Any]:
        """The error as `--json` prints it, with the API's problem document."""
        return {**super().as_json(), "status": self.status, "problem": self.problem}


class Unreachable(CliError):
    """No response, or not one of a Monitum API. Trying again may help."""

    exit_code = ExitCode.UNREACHABLE


class BrokenPipe(CliError):
    """The reader of the output is gone, so there is nowhere to print an error either."""

    exit_code = ExitCode.BROKEN_PIPE
