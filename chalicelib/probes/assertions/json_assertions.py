"""JSON conditions: JSONPath (RFC 9535) on a body that may be hostile, within a budget of work."""

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from chalicelib.monitoring.expectations import JsonCondition, is_number, same_json
from chalicelib.probes.assertions.safe_regex import search
from chalicelib.probes.assertions.work_budget import BadPath, Budget, TooMuchWork
from chalicelib.probes.redaction import quoted
from chalicelib.probes.work_limiter import DOCUMENTS

MAX_PATH: Final = 200
MAX_VALUES: Final = 200_000  # of a document: 1 MiB of small lists would take 0.1 s to read
MAX_STEPS: Final = 20_000  # nodes visited and values looked at by all conditions of a check
GRACE_S: Final = 0.1  # what a document that came at the last moment may still take
_MISSING: Final = "there is nothing"
_BEGINNINGS: Final = b",[{"  # every value of a document but the outermost follows one of them


def compile_path(path: str) -> Any:
    """Return the compiled path; raise BadPath.

    RFC 9535 without `match`, `search` and `count`, and with filters that look at single values.
    """
    if len(path) > MAX_PATH:
        raise BadPath(f"the JSONPath is longer than {MAX_PATH} characters")
    return _compile(path)


@lru_cache(maxsize=512)
def _compile(path: str) -> Any:
    from chalicelib.probes.assertions import safe_jsonpath  # noqa: PLC0415 - 70 ms that few need

    return safe_jsonpath.compile_safely(path)


def broken_json(body: bytes, conditions: Sequence[JsonCondition], deadline: float) -> Sequence[str]:
    """Return what each broken condition expected and found; raise BadPath or BadPattern.

    Raise CheckFailure where the documents of other checks leave no room for this one in time.
    """
    paths = [compile_path(condition.path) for condition in conditions]
    budget = Budget(MAX_STEPS, max(deadline, time.monotonic()) + GRACE_S)
    with DOCUMENTS.enter(budget.until):
        try:
            document = _read(body)
        except TooMuchWork:
            return [f"the document has more than {MAX_VALUES} values"]
        except (ValueError, RecursionError):
            return ["the body is not valid JSON"]
        return [
            text
            for condition, path in zip(conditions, paths, strict=True)
            for text in _broken(document, condition, path, budget)
        ]


def _read(body: bytes) -> object:
    """Return the document; raise ValueError, RecursionError, or TooMuchWork before it is read.

    The parser cannot be stopped, and holds up every other thread.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    if len(body) > MAX_VALUES:
        encoded = text.encode("utf-8", "surrogatepass")
        if _beginnings(encoded) > MAX_VALUES and _beginnings(_outside(encoded)) > MAX_VALUES:
            raise TooMuchWork
    return json.loads(text)


def _beginnings(encoded: bytes) -> int:
    return len(encoded) - len(encoded.translate(None, _BEGINNINGS))


def _outside(encoded: bytes) -> bytes:
    """Return what stands outside of strings, as far as this is JSON."""
    unescaped = encoded.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(unescaped.split(b'"')[::2])


def _broken(
    document: object,
    condition: JsonCondition,
    path: Any,
    budget: Budget,
) -> Sequence[str]:
    from chalicelib.probes.assertions.safe_jsonpath import select  # noqa: PLC0415 - see above

    try:
        values = select(path, document, budget)
        results = [_broken_test(values, name, wanted, budget) for name, wanted in condition.tests]
    except TooMuchWork:
        return [f"{condition.path}: the document is too large or too deep for this path"]
    return [f"{condition.path}: {text}" for text in results if text]


def _broken_test(values: Sequence[object], name: str, wanted: Any, budget: Budget) -> str | None:
    """Return what is wrong, None when every value passes; only `exists` takes no value at all."""
    if name == "exists":
        if bool(values) is wanted:
            return None
        return "expected to exist" if wanted else "expected not to exist"
    if not values:
        return f"expected {_phrase(name, wanted)}, {_MISSING}"
    for value in values:
        if not _passes(name, value, wanted, budget):
            return f"expected {_phrase(name, wanted)}, got {_shown(value)}"
    return None


def _passes(name: str, value: object, wanted: Any, budget: Budget) -> bool:
    if name == "equals":
        return same_json(value, wanted)
    if name == "not":
        return not same_json(value, wanted)
    if name == "matches":
        return _matches(wanted, value if isinstance(value, str) else _shown(value), budget)
    if not isinstance(value, int | float) or not is_number(value):
        return False
    return bool(value > wanted if name == "greater" else value < wanted)


def _matches(pattern: str, text: str, budget: Budget) -> bool:
    """Whether the pattern is in the text; raise TooMuchWork where there is no time to tell."""
    if time.monotonic() > budget.until:
        raise TooMuchWork
    found, sought = search(pattern, text, budget.until)
    if not found and sought is not None:
        raise TooMuchWork
    return found


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
