"""Add defaults to resources, to compare them, or remove them, to keep an export short."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from monitum_cli.manifest.schema import (
    EXPECTATIONS,
    REQUIRED,
    TIME_FIELDS,
    UNFOLLOWED_STATUS_CODES,
    Fields,
    Section,
)


def with_defaults(section: Section, resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return every field of a resource of a known kind, normalized for comparison."""
    fields = section.fields_of(resource) or {}
    complete = {name: resource.get(name) for name in fields}
    complete |= {
        name: default
        for name, default in fields.items()
        if default is not REQUIRED and complete[name] is None
    }
    if "expect" in complete:
        complete["expect"] = _expectations_with_defaults(complete)
    if complete.get("cron") is not None and complete.get("starts_at") is None:
        complete["timezone"] = complete["timezone"] or "UTC"
    complete |= {name: _in_utc(complete[name]) for name in TIME_FIELDS & set(complete)}
    for name in section.unordered & set(complete):
        value = complete[name]
        if isinstance(value, list):
            complete[name] = sorted(value, key=str)
    return _map_parts(section, complete, with_defaults)


def without_defaults(section: Section, resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a resource that differ from their defaults."""
    short = {}
    for name, default in (section.fields_of(resource) or {}).items():
        value = resource.get(name)
        if name == "expect":
            value = _expectations_without_defaults(resource)
        if value is not None and not _equal(value, default, ordered=name not in section.unordered):
            short[name] = value
    return _map_parts(section, short, without_defaults)


def _map_parts(
    section: Section, resource: dict[str, Any], convert: Callable[[Section, Any], Any]
) -> dict[str, Any]:
    """Return the resource with `convert` applied to each of its parts."""
    return resource | {
        name: [convert(part, item) for item in resource[name]]
        for name, part in section.parts.items()
        if resource.get(name)
    }


def _equal(value: Any, default: Any, *, ordered: bool) -> bool:
    if not ordered and isinstance(value, list) and isinstance(default, list):
        return sorted(value, key=str) == sorted(default, key=str)
    return bool(value == default)


def _in_utc(value: Any) -> Any:
    """Return a time in the API's format; values that are no time with a zone stay unchanged."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    if time.tzinfo is None:
        return value
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _expectation_defaults(target: Mapping[str, Any]) -> Fields:
    defaults = EXPECTATIONS.get(str(target.get("kind")), {})
    if target.get("follow_redirects") is False:
        return {**defaults, "status_codes": UNFOLLOWED_STATUS_CODES}
    return defaults


def _expectations_with_defaults(target: Mapping[str, Any]) -> Any:
    expect = target["expect"]
    if not isinstance(expect, Mapping):
        return expect
    given = {name: value for name, value in expect.items() if value is not None}
    return {**_expectation_defaults(target), **given}


def _expectations_without_defaults(target: Mapping[str, Any]) -> dict[str, Any]:
    defaults = _expectation_defaults(target)
    return {
        name: value
        for name, value in (target.get("expect") or {}).items()
        if value is not None and value != defaults.get(name)
    }
