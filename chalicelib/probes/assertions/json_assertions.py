"""JSON conditions: JSONPath (RFC 9535) on a body that may be hostile, within a work budget."""

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from chalicelib.common import strict_json
from chalicelib.monitoring.expectations import JsonCondition, is_number, same_json
from chalicelib.probes.assertions.charsets import decode_as
from chalicelib.probes.assertions.safe_regex import search
from chalicelib.probes.errors import BadPath
from chalicelib.probes.redaction import quoted
from chalicelib.probes.work_limiter import JSON_LIMITER, Budget, TooMuchWork

MAX_PATH: Final = 200
MAX_VALUES: Final = 200_000  # per document: 1 MiB of small lists would take 0.1 s to parse
MAX_STEPS: Final = 20_000  # nodes visited and values read by all conditions of a check
GRACE_S: Final = 0.1  # minimum time for a document that arrives at the deadline
_VALUE_PREFIXES: Final = b",[{"  # every value but the outermost follows one of these


def compile_path(path: str) -> Any:
    """Return the compiled path; raise BadPath.

    Supports RFC 9535 without `match`, `search` and `count`; filters may only read single values.
    """
    if len(path) > MAX_PATH:
        raise BadPath(f"the JSONPath is longer than {MAX_PATH} characters")
    return _compile(path)


@lru_cache(maxsize=512)
def _compile(path: str) -> Any:
    from chalicelib.probes.assertions import safe_jsonpath  # noqa: PLC0415 - 70 ms that few checks need

    return safe_jsonpath.compile_safely(path)


def failed_json_conditions(
    body: bytes,
    conditions: Sequence[JsonCondition],
    deadline: float,
    charset: str | None = None,
) -> Sequence[str]:
    """Return what each failed condition expected and found; raise BadPath or BadPattern.

    `charset` is the declared one, of a body that is not in UTF-8, -16 or -32.

    Raise CheckFailure if the documents of other checks occupy the JSON limiter until the deadline.
    """
    paths = [compile_path(condition.path) for condition in conditions]
    budget = Budget(MAX_STEPS, max(deadline, time.monotonic()) + GRACE_S)
    with JSON_LIMITER.enter(budget.deadline):
        try:
            document = _read(body, charset)
        except TooMuchWork:
            return [f"the document has more than {MAX_VALUES} values"]
        except (ValueError, RecursionError):
            return ["the body is not valid JSON"]
        return [
            text
            for condition, path in zip(conditions, paths, strict=True)
            for text in _failed_tests(document, condition, path, budget)
        ]


def _read(body: bytes, charset: str | None) -> object:
    """Return the document; raise ValueError, RecursionError or TooMuchWork.

    The values are counted before parsing, because the parser cannot be interrupted and holds
    the GIL, so that no other check runs meanwhile.
    """
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
    except UnicodeDecodeError:
        if charset == "utf-8":
            raise
        text = decode_as(body, charset or "cp1252")
    if len(body) > MAX_VALUES:
        encoded = text.encode("utf-8", "surrogatepass")
        too_many = _count_values(encoded) > MAX_VALUES  # cheap upper bound, strings included
        if too_many and _count_values(_without_strings(encoded)) > MAX_VALUES:
            raise TooMuchWork
    return strict_json.parse(text)


def _count_values(encoded: bytes) -> int:
    return len(encoded) - len(encoded.translate(None, _VALUE_PREFIXES))


def _without_strings(encoded: bytes) -> bytes:
    """Return the parts outside of strings, assuming valid JSON."""
    unescaped = encoded.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(unescaped.split(b'"')[::2])


def _failed_tests(
    document: object, condition: JsonCondition, path: Any, budget: Budget
) -> Sequence[str]:
    from chalicelib.probes.assertions.safe_jsonpath import select  # noqa: PLC0415 - see above

    try:
        values = select(path, document, budget)
        results = [_failed_test(values, name, wanted, budget) for name, wanted in condition.tests]
    except TooMuchWork:
        return [f"{condition.path}: the document is too large or too deep for this path"]
    return [f"{condition.path}: {text}" for text in results if text]


def _failed_test(values: Sequence[object], name: str, wanted: Any, budget: Budget) -> str | None:
    """Return why a test fails, None if every value passes; only `exists` accepts no values."""
    if name == "exists":
        if bool(values) is wanted:
            return None
        return "expected to exist" if wanted else "expected not to exist"
    if not values:
        return f"expected {_phrase(name, wanted)}, there is nothing"
    for value in values:
        if not _passes(name, value, wanted, budget):
            return f"expected {_phrase(name, wanted)}, got {_display(value)}"
    return None


def _passes(name: str, value: object, wanted: Any, budget: Budget) -> bool:
    if name == "equals":
        return same_json(value, wanted)
    if name == "not":
        return not same_json(value, wanted)
    if name == "matches":
        return _matches(wanted, value if isinstance(value, str) else _display(value), budget)
    if not isinstance(value, int | float) or not is_number(value):
        return False
    return bool(value > wanted if name == "greater" else value < wanted)


def _matches(pattern: str, text: str, budget: Budget) -> bool:
    """Whether the pattern matches; raise TooMuchWork if there was no time to search all text."""
    if time.monotonic() > budget.deadline:
        raise TooMuchWork
    found, searched = search(pattern, text, budget.deadline)
    if not found and searched is not None:
        raise TooMuchWork
    return found


def _phrase(name: str, wanted: object) -> str:
    words = {"equals": "", "not": "not ", "greater": "more than ", "less": "less than "}
    return f"{words.get(name, 'a match of ')}{_display(wanted)}"


def _display(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return json.dumps(value) if isinstance(value, bool | float | None) else str(value)[:60]
