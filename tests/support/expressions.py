"""Compiles DynamoDB expressions, as pynamodb writes them, to functions of an item.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html; values are typed
as on the wire: `{"S": "text"}`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

Item = dict[str, Any]
Value = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of an expression: an item, and the names and values of its placeholders."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Any]


Test = Callable[[Given], bool]
Term = Callable[[Given], Value]
Change = Callable[[Given, Item], None]
_TOKEN = re.compile(r"#?\w+|:\w+|<>|<=|>=|\[\d+\]|[=<>(),.+-]")
_ACTION = re.compile(r"\b(SET|ADD|REMOVE|DELETE) ")


class _Reader:
    """A recursive descent parser for expressions."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        found = self.next
        assert found, "the expression ends too early"
        assert wanted in ("", found), f"{wanted} expected, not {found}"
        self._at += 1
        return str(found)

    def path(self) -> list[str]:
        parts = [self.take()]
        while self.next == "." or self.next.startswith("["):
            part = self.take()
            parts.append(self.take() if part == "." else part)
        return parts

    def list(self) -> list[Term]:
        self.take("(")
        found = [self.term()]
        while self.next == ",":
            self.take()
            found.append(self.term())
        self.take(")")
        return found

    def term(self) -> Term:
        left = self._operand()
        while self.next in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            left = _sum(left, self._operand(), sign)
        return left

    def _operand(self) -> Term:
        if self.next in _FUNCTIONS:
            function = _FUNCTIONS[self.take()]
            return function(*self.list())
        if self.next.startswith(":"):
            name = self.take()
            return lambda given: given.values[name]
        path = self.path()
        return lambda given: _find(given, path)

    def any(self) -> Test:
        tests = [self._all()]
        while self.next == "OR":
            self.take()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda given: any(test(given) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self.next == "AND":
            self.take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda given: all(test(given) for test in tests)

    def _one(self) -> Test:
        if self.next == "NOT":
            self.take()
            test = self._one()
            return lambda given: not test(given)
        if self.next == "(":
            self.take()
            test = self.any()
            self.take(")")
            return test
        if self.next in _PREDICATES:
            predicate = _PREDICATES[self.take()]
            terms = self.list()
            return lambda given: predicate(*(term(given) for term in terms))
        return self._comparison(self.term())

    def _comparison(self, left: Term) -> Test:
        sign = self.take()
        if sign == "IN":
            terms = self.list()
            return lambda given: left(given) in [term(given) for term in terms]
        if sign == "BETWEEN":
            low = self.term()
            self.take("AND")
            high = self.term()
            return lambda given: (
                _compare(left(given), ">=", low(given)) and _compare(left(given), "<=", high(given))
            )
        right = self.term()
        return lambda given: _compare(left(given), sign, right(given))


def _find(given: Given, path: list[str]) -> Value:
    value: Value = {"M": given.item}
    for part in path:
        if part.startswith("["):
            value = dict(enumerate((value or {}).get("L", ()))).get(int(part[1:-1]))
        else:
            value = (value or {}).get("M", {}).get(given.names[part])
    return value


def _sum(left: Term, right: Term, sign: int) -> Term:
    def total(given: Given) -> Value:
        one, other = left(given), right(given)
        assert one, "the left operand does not exist"
        assert other, "the right operand does not exist"
        return {"N": str(Decimal(one["N"]) + sign * Decimal(other["N"]))}

    return total


def _appended(first: Term, second: Term) -> Term:
    return lambda given: {"L": [*(first(given) or {})["L"], *(second(given) or {})["L"]]}


_FUNCTIONS: Mapping[str, Callable[..., Term]] = {
    "if_not_exists": lambda path, other: lambda given: path(given) or other(given),
    "list_append": _appended,
    "size": lambda path: lambda given: {"N": str(len(next(iter((path(given) or {}).values()))))},
}
_PREDICATES: Mapping[str, Callable[..., bool]] = {
    "attribute_exists": lambda value: value is not None,
    "attribute_not_exists": lambda value: value is None,
    "begins_with": lambda value, start: value is not None and value["S"].startswith(start["S"]),
    "contains": lambda value, part: value is not None and _contains(value, part),
}


def _contains(value: dict[str, Any], part: dict[str, Any]) -> bool:
    ((kind, content),) = value.items()
    return bool(part in content if kind == "L" else part["S"] in content)


def _compare(left: Value, sign: str, right: Value) -> bool:
    if sign == "=":
        return left is not None and bool(comparable(left) == comparable(right))
    if sign == "<>":
        return left is None or bool(comparable(left) != comparable(right))
    if left is None or right is None or left.keys() != right.keys():
        return False
    one, other = comparable(left), comparable(right)
    signs = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}
    return bool(signs[sign])


def comparable(value: Value) -> Any:
    """A key for comparisons: numbers by value, strings by their bytes."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "N":
        return Decimal(content)
    return content.encode() if kind == "S" else value


@cache
def condition(text: str) -> Test:
    """Compile a condition, key condition or filter."""
    reader = _Reader(text)
    test = reader.any()
    assert not reader.next, f"unexpected text at the end: {text}"
    return test


@cache
def update(text: str) -> Change:
    """Compile an update expression. It changes the item it receives; terms see the old item."""
    parts = _ACTION.split(text)[1:]
    changes: list[Change] = []
    for kind, actions in zip(parts[::2], parts[1::2], strict=True):
        reader = _Reader(actions)
        while reader.next:
            changes.append(_change(kind, reader))
            if reader.next:
                reader.take(",")

    def change(given: Given, item: Item) -> None:
        for one in changes:
            one(given, item)

    return change


def _change(kind: str, reader: _Reader) -> Change:
    *parents, last = reader.path()
    if kind == "SET":
        reader.take("=")
    term = None if kind == "REMOVE" else reader.term()

    def change(given: Given, item: Item) -> None:
        within = item
        for part in parents:
            within = within[given.names[part]]["M"]
        name, value = given.names[last], term(given) if term else None
        if kind == "ADD":
            value = _added(within.get(name), value or {})
        if kind == "DELETE":
            value = _removed(within.get(name), value or {})
        if value is None:
            within.pop(name, None)
        else:
            within[name] = value

    return change


def _added(before: Value, more: dict[str, Any]) -> Value:
    ((kind, content),) = more.items()
    if kind == "N":
        return {"N": str(Decimal((before or {"N": "0"})["N"]) + Decimal(content))}
    return {kind: list(dict.fromkeys([*(before or {kind: []})[kind], *content]))}


def _removed(before: Value, less: dict[str, Any]) -> Value:
    ((kind, content),) = less.items()
    kept = [one for one in (before or {kind: []})[kind] if one not in content]
    return {kind: kept} if kept else None
