"""JSON conditions: JSONPath (RFC 9535) on a body that may be hostile, within a budget of work."""

import json
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from chalicelib.checkers.patterns import matches
from chalicelib.checkers.text import quoted
from chalicelib.domain.expectations import JsonCondition, is_number, same_json

MAX_PATH: Final = 200
MAX_STEPS: Final = 50_000  # nodes visited and filters tried by one condition: some 0.1 s
_MISSING: Final = "there is nothing"
# A body of 1 MiB can become a hundred MiB of objects: only so many at a time.
_ROOM: Final = threading.BoundedSemaphore(2)


class BadPath(ValueError):
    """A JSONPath that is not valid; str() says why."""


class TooMuchWork(Exception):
    """A path on this document takes more steps than a check may."""


def compile_path(path: str) -> Any:
    """Return the compiled path; raise BadPath. RFC 9535 without `match()` and `search()`."""
    if len(path) > MAX_PATH:
        raise BadPath(f"the JSONPath is longer than {MAX_PATH} characters")
    return _compile(path)


@lru_cache(maxsize=512)
def _compile(path: str) -> Any:
    from jsonpath import JSONPathError  # noqa: PLC0415 - 70 ms that only JSON conditions need

    from chalicelib.checkers.json_environment import ENVIRONMENT  # noqa: PLC0415 - the same

    try:
        return ENVIRONMENT.compile(path)
    except (JSONPathError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise BadPath(f"the JSONPath is not valid: {reason}") from None


def broken_json(body: bytes, conditions: Sequence[JsonCondition]) -> Iterable[str]:
    """Return what each broken condition expected and found; raise BadPath or BadPattern."""
    with _ROOM:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return ["the body is not valid JSON"]
        return [text for condition in conditions for text in _broken(document, condition)]


def _broken(document: object, condition: JsonCondition) -> Iterable[str]:
    from chalicelib.checkers.json_environment import select  # noqa: PLC0415 - see above

    try:
        values = select(compile_path(condition.path), document, MAX_STEPS)
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
