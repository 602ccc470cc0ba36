"""What is different between a thing as it is and as it is wanted, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitum_cli.manifest.shape import MASK, SECRET_TEXTS


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what it is and what it is to be, both fit to be shown.

    `certain` is False for a secret, which cannot be compared with the stored one.
    """

    field: str
    before: Any
    after: Any
    certain: bool = True


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same JSON: `true` is not 1, but 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], shown: Mapping[str, Any]
) -> list[Difference]:
    """What differs; `before` is as the API shows it, `shown` are the wanted values for people."""
    found: list[Difference] = []
    for name, value in after.items():
        was = before.get(name)
        if name == "headers" and isinstance(value, Mapping):
            found += _headers(was or {}, value)
        elif name == "url" and isinstance(value, str) and isinstance(was, str):
            found += _url(was, value, shown.get(name, value))
        elif name in SECRET_TEXTS:
            found += _secret(name, was, value)
        elif name == "expect" and isinstance(value, Mapping) and isinstance(was, Mapping):
            found += _nested(name, was, value, shown.get(name) or {})
        elif not same(was, value):
            found.append(Difference(name, was, shown.get(name, value)))
    return found


def _nested(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], shown: Mapping[str, Any]
) -> list[Difference]:
    return [
        Difference(f"{name}.{key}", before.get(key), shown.get(key, after.get(key)))
        for key in sorted({*before, *after})
        if not same(before.get(key), after.get(key))
    ]


def _secret(field: str, before: Any, after: Any) -> list[Difference]:
    """A secret: whether it is there can be seen, what it is cannot."""
    if after == MASK or (before is None and after is None):
        return []
    if before is not None and after is not None:
        return [Difference(field, MASK, MASK, certain=False)]
    return [Difference(field, before and MASK, after and MASK)]


def _headers(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Header by header: of what is stored, only the names can be compared."""
    names = [*before, *(name for name in after if name not in before)]
    found = (_secret(f"headers.{name}", before.get(name), after.get(name)) for name in names)
    return [one for of_name in found for one in of_name]


def _url(before: str, after: str, shown: str) -> list[Difference]:
    """A URL in which MASK stands for its user and password, or for all after its scheme."""
    if after == before:
        return []
    hidden = before.endswith(f"://{MASK}")
    if hidden:
        certain = after.partition("://")[0] != before.partition("://")[0]
        return [Difference("url", before, masked(after), certain=certain)]
    if f"://{MASK}@" in before and masked(after) == before:
        return [Difference("url", before, before, certain=False)]
    return [Difference("url", before, masked(shown))]


def masked(url: str) -> str:
    """A URL fit to be shown: of a chat service the scheme alone, else without user and password."""
    scheme, slashes, rest = url.partition("://")
    if scheme.lower() not in {"http", "https"}:
        return f"{scheme}://{MASK}" if slashes else MASK
    authority = rest[: min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))]
    _, at, host = authority.rpartition("@")
    return f"{scheme}://{MASK}@{host}{rest[len(authority) :]}" if at else url
