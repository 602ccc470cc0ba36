"""What can go wrong, as one line for people and as an exit code for scripts."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """The exit codes; docs/cli.md explains them, and they do not change."""

    OK = 0
    FAILED = 1
    """Anything that has no code of its own."""
    USAGE = 2
    DENIED = 3
    """Not logged in, or the token is refused or lacks a scope."""
    NOT_FOUND = 4
    """No such thing, or a name or prefix that fits several."""
    CONFLICT = 5
    """Somebody else changed it meanwhile, or it does not fit the present state."""
    INVALID = 6
    """A file or a value that breaks the rules."""
    LIMITED = 7
    """Over the rate, for longer than is waited."""
    UNREACHABLE = 8
    """No network, no answer, or a fault of the API's own."""
    PARTLY = 9
    """Some items of `apply` failed; apply again goes on from there."""
    NO = 10
    """It worked, and the answer is no: down, or changes are due."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Failure(Exception):
    """The command ends here; the text says in one line why, and what to do about it."""

    code = Exit.FAILED

    def __init__(self, text: str, code: Exit | None = None) -> None:
        super().__init__(text)
        if code is not None:
            self.code = code

    def told(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"message": str(self), "exit_code": int(self.code)}


class ApiFailure(Failure):
    """The API refused; `status` is HTTP's, `faults` the fields that it names.

    `problem` is all that it said, where it said so as Monitum does.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        faults: tuple[tuple[tuple[str | int, ...], str], ...] = (),
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        named = "; ".join(f"{'.'.join(map(str, loc)) or 'body'}: {msg}" for loc, msg in faults)
        super().__init__(f"{detail}: {named}" if named else detail, _code(status))
        self.status, self.detail, self.faults = status, detail, faults
        self.problem = problem

    def told(self) -> dict[str, Any]:
        """The same for scripts, with what the API said."""
        return {**super().told(), "status": self.status, "problem": self.problem}


class Unreachable(Failure):
    """Nobody answered, or not as Monitum does; trying again may help."""

    code = Exit.UNREACHABLE


class BrokenPipe(Failure):
    """Whoever read the output has gone; there is nobody to tell."""

    code = Exit.BROKEN_PIPE


_CODES = {
    401: Exit.DENIED,
    403: Exit.DENIED,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    400: Exit.INVALID,
    413: Exit.INVALID,
    422: Exit.INVALID,
    429: Exit.LIMITED,
}


def _code(status: int) -> Exit:
    return _CODES.get(status, Exit.UNREACHABLE if status >= 500 else Exit.FAILED)
