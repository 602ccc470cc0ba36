"""Gatus's conditions as expectations of ours, as far as they can be said."""

import json
import re
from collections.abc import Callable
from typing import Any

_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*")
_CALL = re.compile(r"(any|pat)\((.*)\)")
_PLACE = re.compile(r"\[BODY\]((?:\.[A-Za-z_][\w-]*|\[\d+\])*)", re.ASCII)
_HAS = re.compile(r"has\((.*)\)")
_DURATION = re.compile(r"(\d+)(h|m|s)", re.ASCII)
_CODES = range(100, 600)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


class Conditions:
    """The conditions of one endpoint; `notes` tells of what could not be said as it is there."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._codes: set[int] | None = None
        self._expect: dict[str, Any] = {}
        self._json: list[dict[str, Any]] = []
        self.records: list[str] = []
        self.notes: list[str] = []

    def add(self, text: str) -> None:
        """Take one condition over, or note that it is not."""
        found = _CONDITION.fullmatch(text)
        if found is None or not self._understood(found[1], found[2], found[3]):
            self.notes.append(f"the condition {text!r} is not taken over")

    def expect(self) -> dict[str, Any]:
        """The expectations; for HTTP any status will do where none is asked for."""
        expect = dict(self._expect)
        if self._kind == "http":
            ranges = _ranges(set(_CODES) if self._codes is None else self._codes)
            if ranges != ["200-299"]:
                expect["status_codes"] = ranges
        if self._json:
            expect["json"] = self._json
        return expect

    def _understood(self, left: str, operator: str, right: str) -> bool:
        if left == "[CONNECTED]":
            return (operator, right) == ("==", "true")
        if left == "[DNS_RCODE]":
            return (operator, right) == ("==", "NOERROR")
        if left == "[STATUS]":
            return self._status(operator, right)
        if left == "[RESPONSE_TIME]":
            return self._speed(operator, right)
        if left == "[CERTIFICATE_EXPIRATION]":
            return self._certificate(operator, right)
        return self._content(left, operator, right)

    def _content(self, left: str, operator: str, right: str) -> bool:
        has = _HAS.fullmatch(left)
        place = _PLACE.fullmatch(has[1] if has else left)
        if place is None or self._kind == "tls":
            return False
        if has:
            return self._exists(place[1], operator, right)
        if self._kind == "dns":
            return not place[1] and self._record(operator, right)
        if not place[1]:
            return self._body(operator, right)
        return self._kind == "http" and self._value(place[1], operator, right)

    def _status(self, operator: str, right: str) -> bool:
        call = _CALL.fullmatch(right)
        try:
            if call and call[1] == "any" and operator in {"==", "!="}:
                given = {int(one) for one in call[2].split(",")}
                fits = {code for code in _CODES if (code in given) == (operator == "==")}
            else:
                limit = int(right)
                fits = {code for code in _CODES if _COMPARISONS[operator](code, limit)}
        except ValueError:
            return False
        self._codes = fits if self._codes is None else self._codes & fits
        return bool(self._codes) and self._kind == "http"

    def _speed(self, operator: str, right: str) -> bool:
        if operator not in {"<", "<="} or not right.isdigit():
            return False
        limit = int(right) - (operator == "<")
        self._expect["max_response_ms"] = max(1, min(limit, 25_000))
        self.notes.append("too slow an answer makes it DEGRADED here, not DOWN")
        return True

    def _certificate(self, operator: str, right: str) -> bool:
        parts = _DURATION.findall(right)
        if operator not in {">", ">="} or "".join(map("".join, parts)) != right:
            return False
        length = {"h": 3600, "m": 60, "s": 1}
        days = -(-sum(int(number) * length[unit] for number, unit in parts) // 86_400)
        self._expect["tls_days_left"] = max(1, min(days, 365))
        self.notes.append("a certificate about to expire makes it DEGRADED here, not DOWN")
        return self._kind in {"http", "tls"}

    def _exists(self, place: str, operator: str, right: str) -> bool:
        if self._kind != "http" or operator != "==" or right not in {"true", "false"}:
            return False
        self._json.append({"path": f"${place}", "exists": right == "true"})
        return True

    def _record(self, operator: str, right: str) -> bool:
        call = _CALL.fullmatch(right)
        if operator != "==" or call:
            return False
        self.records.append(right)
        return True

    def _body(self, operator: str, right: str) -> bool:
        if operator != "==":
            return False
        self._expect["body_matches"] = f"^{_pattern(right)}$"
        return True

    def _value(self, place: str, operator: str, right: str) -> bool:
        condition = _comparison(operator, right)
        if condition is None:
            return False
        self._json.append({"path": f"${place}", **condition})
        return True


def _comparison(operator: str, right: str) -> dict[str, Any] | None:
    """One test of a JSON value, None where there is none like it."""
    if right.startswith(("[", "len(")):
        return None
    if _CALL.fullmatch(right):
        return {"matches": f"^{_pattern(right)}$"} if operator == "==" else None
    if operator in {"==", "!="}:
        return {"equals" if operator == "==" else "not": _value(right)}
    try:
        number = float(right)
    except ValueError:
        return None
    return {{"<": "less", ">": "greater"}[operator]: number} if operator in "<>" else None


def _pattern(right: str) -> str:
    """`pat(a*)`, `any(a, b)` or a plain text as a regular expression."""
    call = _CALL.fullmatch(right)
    if call is None:
        return re.escape(right)
    if call[1] == "any":
        return f"(?:{'|'.join(re.escape(one.strip()) for one in call[2].split(','))})"
    return "(?s:" + ".*".join(re.escape(part) for part in call[2].split("*")) + ")"


def _value(text: str) -> Any:
    """A number, true or false as JSON has it, or a text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (bool, int, float)) else text


def _ranges(codes: set[int]) -> list[int | str]:
    """`["200-299", 404]`, the shortest way to say which."""
    found: list[int | str] = []
    start = None
    for code in range(_CODES.start, _CODES.stop + 1):
        if code in codes:
            start = code if start is None else start
        elif start is not None:
            found.append(start if start == code - 1 else f"{start}-{code - 1}")
            start = None
    return found
