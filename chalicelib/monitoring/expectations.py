"""The expectations of a target: strict parsing, and the comparisons that need no library.

Regular expressions and JSONPath are evaluated in `chalicelib.probes`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

Range = tuple[int, int]
DEFAULT_STATUS: Final[tuple[Range, ...]] = ((200, 299),)
DEFAULT_STATUS_UNFOLLOWED: Final[tuple[Range, ...]] = ((200, 399),)
JSON_TESTS: Final = ("exists", "equals", "not", "greater", "less", "matches")


class BadExpectation(ValueError):
    """An expectation is invalid; `place` is its path within `expect`, str() the reason."""

    def __init__(self, place: tuple[str | int, ...], text: str) -> None:
        super().__init__(text)
        self.place = place


@dataclass(frozen=True, slots=True)
class JsonCondition:
    """One item of `expect.json`: a JSONPath and the tests that every value there must pass."""

    path: str
    tests: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Expectations:
    """All expectations of a target, parsed; None and empty mean that nothing is expected."""

    status_codes: tuple[Range, ...] | None = None
    body_contains: str | None = None
    body_not_contains: str | None = None
    body_matches: str | None = None
    json: tuple[JsonCondition, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    max_response_ms: int | None = None
    tls_days_left: int | None = None

    @property
    def want_body(self) -> bool:
        """Whether any expectation needs the body."""
        texts = (self.body_contains, self.body_not_contains, self.body_matches)
        return bool(self.json) or any(text is not None for text in texts)


_NAMES: Final = frozenset(field.name for field in fields(Expectations))


def read_expectations(expect: Mapping[str, Any]) -> Expectations:
    """Parse the `expect` object of the API; raise BadExpectation."""
    unknown = sorted(set(expect) - _NAMES)
    if unknown:
        raise BadExpectation((str(unknown[0]),), "is unknown: remove it")
    statuses = expect.get("status_codes")
    return Expectations(
        status_codes=None if statuses is None else read_status_codes(statuses),
        body_contains=_text(expect, "body_contains"),
        body_not_contains=_text(expect, "body_not_contains"),
        body_matches=_text(expect, "body_matches"),
        json=_json_conditions(expect.get("json") or ()),
        headers=_headers(expect.get("headers") or {}),
        max_response_ms=_number(expect, "max_response_ms"),
        tls_days_left=_number(expect, "tls_days_left"),
    )


def read_status_codes(values: object) -> tuple[Range, ...]:
    """Parse codes and ranges, such as ["200-299", 301]; raise BadExpectation."""
    if not isinstance(values, list | tuple) or not values:
        raise BadExpectation(("status_codes",), "must be a list of codes and ranges")
    return tuple(_status_range(value, place) for place, value in enumerate(values))


def _status_range(value: object, place: int) -> Range:
    text = str(value) if isinstance(value, str) or is_number(value) else ""
    low, dash, high = text.partition("-")
    bounds = (low, high if dash else low)
    if all(len(bound) == 3 and bound.isascii() and bound.isdigit() for bound in bounds):
        first, last = int(bounds[0]), int(bounds[1])
        if 100 <= first <= last <= 599:
            return first, last
    raise BadExpectation(("status_codes", place), 'must be a code or a range such as "200-299"')


def status_matches(code: int, ranges: Iterable[Range]) -> bool:
    """Whether a status code is in one of the ranges, both ends included."""
    return any(first <= code <= last for first, last in ranges)


def describe_ranges(ranges: Iterable[Range]) -> str:
    """Return ranges as people write them: "200-299, 301"."""
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def same_json(left: object, right: object) -> bool:
    """Whether two JSON values are equal; unlike Python's ==, true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return left == right


def _text(expect: Mapping[str, Any], name: str) -> str | None:
    value = expect.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise BadExpectation((name,), "must be a non-empty string")
    return value


def _number(expect: Mapping[str, Any], name: str) -> int | None:
    value = expect.get(name)
    if value is None:
        return None
    if not is_number(value) or value // 1 != value:  # also excludes infinity and NaN
        raise BadExpectation((name,), "must be a whole number")
    return int(value)


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise BadExpectation(("headers",), "must be an object of header names and strings")
    for name, text in value.items():
        if not isinstance(text, str):
            raise BadExpectation(("headers", str(name)), "must be a string")
    return tuple((str(name).lower(), text) for name, text in value.items())


def _json_conditions(value: object) -> tuple[JsonCondition, ...]:
    if not isinstance(value, list | tuple):
        raise BadExpectation(("json",), "must be a list of conditions")
    return tuple(_json_condition(item, place) for place, item in enumerate(value))


def _json_condition(item: object, place: int) -> JsonCondition:
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        raise BadExpectation(("json", place), "must be an object with a `path`")
    unknown = sorted(set(item) - {"path", *JSON_TESTS})
    if unknown:
        raise BadExpectation(("json", place, str(unknown[0])), "is unknown: remove it")
    tests = tuple((name, _plain(item[name])) for name in JSON_TESTS if name in item)
    if not tests:
        raise BadExpectation(("json", place), f"must have one of {', '.join(JSON_TESTS)}")
    for name, wanted in tests:
        _check_test(name, wanted, place)
    return JsonCondition(item["path"], tests)


def _plain(value: object) -> object:
    """Return JSON with DynamoDB's Decimals as int or float."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _check_test(name: str, wanted: object, place: int) -> None:
    where = ("json", place, name)
    if name == "exists" and not isinstance(wanted, bool):
        raise BadExpectation(where, "must be true or false")
    if name == "matches" and not (isinstance(wanted, str) and wanted):
        raise BadExpectation(where, "must be a regular expression")
    if name in {"greater", "less"} and not is_number(wanted):
        raise BadExpectation(where, "must be a number")


def is_number(value: object) -> bool:
    """Whether a value is a JSON number, or a Decimal as DynamoDB returns it."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
