"""Compare a resource field by field with its desired state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitum_cli.manifest.schema import MASK, SECRET_FIELDS


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs; `before` and `after` contain no secrets.

    `certain` is False for a secret, because the stored one is unknown and may be equal.
    """

    field: str
    before: Any
    after: Any
    certain: bool = True


def json_equal(one: Any, other: Any) -> bool:
    """Compare two values as JSON: `true` differs from 1, but 1.0 equals 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(json_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return bool(one == other)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], literal: Mapping[str, Any]
) -> list[Difference]:
    """Compare the fields of a resource.

    `before` is what the API returned, `after` the desired fields. `literal` are the desired fields
    as written in the file, with variables instead of secrets, and is what people get to see.
    """
    found: list[Difference] = []
    for name, value in after.items():
        old = before.get(name)
        if name == "headers" and isinstance(value, Mapping):
            found += _header_differences(old or {}, value)
        elif name == "url" and isinstance(value, str) and isinstance(old, str):
            found += _url_differences(old, value, literal.get(name, value))
        elif name in SECRET_FIELDS:
            found += _secret_differences(name, old, value)
        elif name == "expect" and isinstance(value, Mapping) and isinstance(old, Mapping):
            found += _nested_differences(name, old, value, literal.get(name) or {})
        elif not json_equal(old, value):
            found.append(Difference(name, old, literal.get(name, value)))
    return found


def mask_url(url: str) -> str:
    """Hide the credentials of an HTTP URL, and all but the scheme of a chat service's URL."""
    scheme, slashes, rest = url.partition("://")
    if scheme.lower() not in {"http", "https"}:
        return f"{scheme}://{MASK}" if slashes else MASK
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    _, at, host = rest[:end].rpartition("@")
    return f"{scheme}://{MASK}@{host}{rest[end:]}" if at else url


def _nested_differences(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], literal: Mapping[str, Any]
) -> list[Difference]:
    return [
        Difference(f"{name}.{key}", before.get(key), literal.get(key, after.get(key)))
        for key in sorted({*before, *after})
        if not json_equal(before.get(key), after.get(key))
    ]


def _secret_differences(field: str, before: Any, after: Any) -> list[Difference]:
    """Compare a secret: the API reveals whether one is stored, but not its value."""
    if after == MASK or (before is None and after is None):
        return []
    if before is not None and after is not None:
        return [Difference(field, MASK, MASK, certain=False)]
    return [Difference(field, before and MASK, after and MASK)]


def _header_differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterable[Difference]:
    for name in dict.fromkeys([*before, *after]):
        yield from _secret_differences(f"headers.{name}", before.get(name), after.get(name))


def _url_differences(before: str, after: str, literal: str) -> list[Difference]:
    """Compare URLs, of which `before` has MASK in place of its secrets."""
    if after == before:
        return []
    if before.endswith(f"://{MASK}"):
        certain = after.partition("://")[0] != before.partition("://")[0]
        return [Difference("url", before, mask_url(after), certain=certain)]
    if f"://{MASK}@" in before and mask_url(after) == before:
        return [Difference("url", before, before, certain=False)]
    return [Difference("url", before, mask_url(literal))]
