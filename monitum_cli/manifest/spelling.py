"""What is given with every default said, so that it compares, or without, so that it reads."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from monitum_cli.manifest.shape import EXPECT, REQUIRED, TIMES, UNFOLLOWED, Fields, Section


def _each_part(
    section: Section, given: dict[str, Any], make: Callable[[Section, Any], Any]
) -> dict[str, Any]:
    """What is given, with `make` of each of its parts in their places."""
    return given | {
        name: [make(part, one) for one in given[name]]
        for name, part in section.parts.items()
        if given.get(name)
    }


def whole(section: Section, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given with every default said, in an order that compares; its kind is known."""
    fields = section.fields(given) or {}
    full = {name: given.get(name) for name in fields}
    full |= {
        name: default
        for name, default in fields.items()
        if default is not REQUIRED and full[name] is None
    }
    if "expect" in full:
        full["expect"] = _whole_expectations(full)
    if full.get("cron") is not None and full.get("starts_at") is None:
        full["timezone"] = full["timezone"] or "UTC"
    full |= {name: _in_utc(full[name]) for name in TIMES & set(full)}
    for name in section.unordered & set(full):
        value = full[name]
        if isinstance(value, list):
            full[name] = sorted(value, key=str)
    return _each_part(section, full, whole)


def brief(section: Section, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given without what would be so anyway."""
    fields = section.fields(given) or {}
    said = {}
    for name, default in fields.items():
        value = given.get(name)
        if name == "expect":
            value = _brief_expectations(given)
        if value is not None and not _same(value, default, ordered=name not in section.unordered):
            said[name] = value
    return _each_part(section, said, brief)


def _same(value: Any, default: Any, *, ordered: bool) -> bool:
    if not ordered and isinstance(value, list) and isinstance(default, list):
        return sorted(value, key=str) == sorted(default, key=str)
    return bool(value == default)


def _in_utc(value: Any) -> Any:
    """A time as the API shows it, whatever zone it is given in; what is none stays as it is."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    if moment.tzinfo is None:
        return value
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _defaults_of_expect(given: Mapping[str, Any]) -> Fields:
    defaults = EXPECT.get(str(given.get("kind")), {})
    if given.get("follow_redirects") is False:
        return {**defaults, "status_codes": UNFOLLOWED}
    return defaults


def _whole_expectations(given: Mapping[str, Any]) -> Any:
    expect = given["expect"]
    if not isinstance(expect, Mapping):
        return expect
    said = {name: value for name, value in expect.items() if value is not None}
    return {**_defaults_of_expect(given), **said}


def _brief_expectations(given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = _defaults_of_expect(given)
    expect = given.get("expect") or {}
    return {
        name: value
        for name, value in expect.items()
        if value is not None and value != defaults.get(name)
    }
