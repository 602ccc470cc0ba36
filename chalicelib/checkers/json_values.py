"""JSON conditions: JSONPath (RFC 9535) on a body that may be hostile, within a budget of work."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from chalicelib.checkers.errors import CheckFailure
from chalicelib.checkers.patterns import BadPattern, matches
from chalicelib.checkers.text import quoted
from chalicelib.domain.expectations import JsonCondition, is_number, same_json
from chalicelib.domain.results import Reason

MAX_PATH: Final = 200
MAX_STEPS: Final = 20_000  # nodes visited and values looked at by all conditions of a check
GRACE_S: Final = 0.1  # what a document that came at the last moment may still take
_MISSING: Final = "there is nothing"
# A body of 1 MiB can become a hundred MiB of objects: only so many at a time.
_ROOM: Final = threading.BoundedSemaphore(2)


class BadPath(ValueError):
    """A JSONPath that is not valid; str() says why."""


class TooMuchWork(Exception):
    """A path on this document takes more steps or time than a check has."""


@dataclass(slots=True)
class Budget:
    """What an evaluation may take: steps, and the instant (monotonic) by which it ends."""

    steps: int
    until: float


def compile_path(path: str) -> Any:
    """Return the compiled path; raise BadPath.

    RFC 9535 without `match`, `search` and `count`, and with filters that look at single values.
    """
    if len(path) > MAX_PATH:
        raise BadPath(f"the JSONPath is longer than {MAX_PATH} characters")
    return _compile(path)


@lru_cache(maxsize=512)
def _compile(path: str) -> Any:
    from chalicelib.checkers import json_environment  # noqa: PLC0415 - 70 ms that few need

    return json_environment.compile_safely(path)


def broken_json(body: bytes, conditions: Sequence[JsonCondition], deadline: float) -> Sequence[str]:
    """Return what each broken condition expected and found; raise BadPath or BadPattern.

    Raise CheckFailure where the documents of other checks leave no room for this one in time.
    """
    paths = [compile_path(condition.path) for condition in conditions]
    budget = Budget(MAX_STEPS, max(deadline, time.monotonic()) + GRACE_S)
    if not _ROOM.acquire(timeout=budget.until - time.monotonic()):
        text = "Monitum had no time to read the JSON"
        raise CheckFailure(Reason.INTERNAL, text, ours=True, final=True)
    try:
        document = json.loads(body)
        return [
            text
            for condition, path in zip(conditions, paths, strict=True)
            for text in _broken(document, condition, path, budget)
        ]
    except BadPattern:
        raise
    except (ValueError, RecursionError):
        return ["the body is not valid JSON"]
    finally:
        _ROOM.release()


def _broken(
    document: object,
    condition: JsonCondition,
    path: Any,
    budget: Budget,
) -> Sequence[str]:
    from chalicelib.checkers.json_environment import select  # noqa: PLC0415 - see above

    try:
        values = select(path, document, budget)
    except TooMuchWork:
        return [f"{condition.path}: the document is too large or too deep for this path"]
    results = (_broken_test(values, name, wanted) for name, wanted in condition.tests)
    return [f"{condition.path}: {text}" for text in results if text]


def _broken_test(values: Sequence[object], name: str, wanted: Any) -> str | None:
    """Return what is wrong, None when every value passes; only `exists` takes no value at all."""
    if name == "exists":
        if bool(values) is wanted:
            return None
        return "expected to exist" if wanted else "expected not to exist"
    if not values:
        return f"expected {_phrase(name, wanted)}, {_MISSING}"
    for value in values:
        if not _passes(name, value, wanted):
            return f"expected {_phrase(name, wanted)}, got {_shown(value)}"
    return None


def _passes(name: str, value: object, wanted: Any) -> bool:
    if name == "equals":
        return same_json(value, wanted)
    if name == "not":
        return not same_json(value, wanted)
    if name == "matches":
        return matches(wanted, value if isinstance(value, str) else _shown(value))
    if not isinstance(value, int | float) or not is_number(value):
        return False
    return bool(value > wanted if name == "greater" else value < wanted)


def _phrase(name: str, wanted: object) -> str:
    words = {"equals": "", "not": "not ", "greater": "more than ", "less": "less than "}
    return f"{words.get(name, 'a match of ')}{_shown(wanted)}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return json.dumps(value) if isinstance(value, bool | float | None) else str(value)[:60]
