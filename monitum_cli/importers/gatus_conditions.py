"""Convert the conditions of a Gatus endpoint to expectations of a target."""

import json
import operator
import re
from collections.abc import Callable
from typing import Any

_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*")
_CALL = re.compile(r"(any|pat)\((.*)\)")
_BODY_PATH = re.compile(r"\[BODY\]((?:\.[A-Za-z_][\w-]*|\[\d+\])*)", re.ASCII)
_HAS = re.compile(r"has\((.*)\)")
_DURATION = re.compile(r"(\d+)(h|m|s)", re.ASCII)
_CODES = range(100, 600)
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Conditions:
    """The conditions of one endpoint.

    `records` are the expected DNS records; `notes` describes conditions that work differently in
    Monitum or are not imported.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._codes: set[int] | None = None
        self._expect: dict[str, Any] = {}
        self._json: list[dict[str, Any]] = []
        self.records: list[str] = []
        self.notes: list[str] = []

    def add(self, text: str) -> None:
        """Convert one condition, or note that it is not imported."""
        found = _CONDITION.fullmatch(text)
        if found is None or not self._convert(found[1], found[2], found[3]):
            self.notes.append(f"the condition {text!r} is not imported")

    def expect(self) -> dict[str, Any]:
        """Return the expectations.

        Without a condition on the status, Gatus accepts every status code.
        """
        expect = dict(self._expect)
        if self._kind == "http":
            ranges = _ranges(set(_CODES) if self._codes is None else self._codes)
            if ranges != ["200-299"]:
                expect["status_codes"] = ranges
        if self._json:
            expect["json"] = self._json
        return expect

    def _convert(self, left: str, comparator: str, right: str) -> bool:
        """Return whether the condition is supported."""
        if left == "[CONNECTED]":
            return (comparator, right) == ("==", "true")
        if left == "[DNS_RCODE]":
            return (comparator, right) == ("==", "NOERROR")
        if left == "[STATUS]":
            return self._status(comparator, right)
        if left == "[RESPONSE_TIME]":
            return self._response_time(comparator, right)
        if left == "[CERTIFICATE_EXPIRATION]":
            return self._certificate(comparator, right)
        return self._body_condition(left, comparator, right)

    def _body_condition(self, left: str, comparator: str, right: str) -> bool:
        has = _HAS.fullmatch(left)
        path = _BODY_PATH.fullmatch(has[1] if has else left)
        if path is None or self._kind == "tls":
            return False
        if has:
            return self._exists(path[1], comparator, right)
        if self._kind == "dns":
            return not path[1] and self._dns_record(comparator, right)
        if not path[1]:
            return self._whole_body(comparator, right)
        return self._kind == "http" and self._json_value(path[1], comparator, right)

    def _status(self, comparator: str, right: str) -> bool:
        call = _CALL.fullmatch(right)
        try:
            if call and call[1] == "any" and comparator in {"==", "!="}:
                listed = {int(one) for one in call[2].split(",")}
                allowed = {code for code in _CODES if (code in listed) == (comparator == "==")}
            else:
                limit = int(right)
                allowed = {code for code in _CODES if _COMPARISONS[comparator](code, limit)}
        except ValueError:
            return False
        self._codes = allowed if self._codes is None else self._codes & allowed
        return bool(self._codes) and self._kind == "http"

    def _response_time(self, comparator: str, right: str) -> bool:
        if comparator not in {"<", "<="} or not right.isdigit():
            return False
        limit = int(right) - (comparator == "<")
        self._expect["max_response_ms"] = max(1, min(limit, 25_000))
        self.notes.append("a slow response makes the target DEGRADED, not DOWN")
        return True

    def _certificate(self, comparator: str, right: str) -> bool:
        parts = _DURATION.findall(right)
        if comparator not in {">", ">="} or "".join(map("".join, parts)) != right:
            return False
        length = {"h": 3600, "m": 60, "s": 1}
        days = -(-sum(int(number) * length[unit] for number, unit in parts) // 86_400)
        self._expect["tls_days_left"] = max(1, min(days, 365))
        self.notes.append("an expiring certificate makes the target DEGRADED, not DOWN")
        return self._kind in {"http", "tls"}

    def _exists(self, path: str, comparator: str, right: str) -> bool:
        if self._kind != "http" or comparator != "==" or right not in {"true", "false"}:
            return False
        self._json.append({"path": f"${path}", "exists": right == "true"})
        return True

    def _dns_record(self, comparator: str, right: str) -> bool:
        call = _CALL.fullmatch(right)
        if comparator != "==" or call:
            return False
        self.records.append(right)
        return True

    def _whole_body(self, comparator: str, right: str) -> bool:
        if comparator != "==":
            return False
        self._expect["body_matches"] = f"^{_pattern(right)}$"
        return True

    def _json_value(self, path: str, comparator: str, right: str) -> bool:
        condition = _comparison(comparator, right)
        if condition is None:
            return False
        self._json.append({"path": f"${path}", **condition})
        return True


def _comparison(comparator: str, right: str) -> dict[str, Any] | None:
    """Return a test of a JSON value, None if Monitum has no such test."""
    if right.startswith(("[", "len(")):
        return None
    if _CALL.fullmatch(right):
        return {"matches": f"^{_pattern(right)}$"} if comparator == "==" else None
    if comparator in {"==", "!="}:
        return {"equals" if comparator == "==" else "not": _value(right)}
    try:
        number = float(right)
    except ValueError:
        return None
    return {{"<": "less", ">": "greater"}[comparator]: number} if comparator in "<>" else None


def _pattern(right: str) -> str:
    """Convert `pat(a*)`, `any(a, b)` or plain text to a regular expression."""
    call = _CALL.fullmatch(right)
    if call is None:
        return re.escape(right)
    if call[1] == "any":
        return f"(?:{'|'.join(re.escape(one.strip()) for one in call[2].split(','))})"
    return "(?s:" + ".*".join(re.escape(part) for part in call[2].split("*")) + ")"


def _value(text: str) -> Any:
    """Parse a number, `true` or `false`; anything else is text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (bool, int, float)) else text


def _ranges(codes: set[int]) -> list[int | str]:
    """Return the codes as the fewest ranges, as in `["200-299", 404]`."""
    found: list[int | str] = []
    start = None
    for code in range(_CODES.start, _CODES.stop + 1):
        if code in codes:
            start = code if start is None else start
        elif start is not None:
            found.append(start if start == code - 1 else f"{start}-{code - 1}")
            start = None
    return found
