"""Badges: a label and a value as an SVG image."""

from html import escape
from typing import Final

from chalicelib.status_pages.page import Condition, Overall
from chalicelib.status_pages.text import CONDITION, percent
from chalicelib.status_pages.view import StatusPage, TargetView

MEDIA: Final = "image/svg+xml"
_GREEN, _YELLOW, _ORANGE, _RED = "#0b7a3d", "#8f5d00", "#b04a00", "#b3201a"
_BLUE, _GREY = "#2358b0", "#5b6676"
_CONDITION_COLORS: Final = {
    Condition.UP: _GREEN,
    Condition.DEGRADED: _YELLOW,
    Condition.DOWN: _RED,
    Condition.MAINTENANCE: _BLUE,
}
_OVERALL: Final = {
    Overall.OPERATIONAL: ("Operational", _GREEN),
    Overall.DEGRADED: ("Degraded", _YELLOW),
    Overall.PARTIAL_OUTAGE: ("Partial outage", _ORANGE),
    Overall.MAJOR_OUTAGE: ("Major outage", _RED),
    Overall.MAINTENANCE: ("Maintenance", _BLUE),
    Overall.UNKNOWN: ("No data", _GREY),
}
_MAX_LABEL: Final = 40
_WIDE: Final = 0x2E80
"""Most characters from this code point on are twice as wide."""


def render(page: StatusPage, target_id: str | None, picture: str) -> str | None:
    """Return the badge of a page, or of one of its targets; None if there is no such badge."""
    subject: StatusPage | TargetView | None = page
    if target_id is not None:
        subject = next((one for one in page.targets if one.id == target_id), None)
    if subject is None:
        return None
    if picture == "status.svg":
        return _status(subject)
    if picture == "uptime.svg":
        return _uptime(subject.uptime_ratio, page.history_days)
    if picture == "response.svg" and page.show_response_times:
        speed = subject.response_ms
        value, color = ("no data", _GREY) if speed is None else (f"{speed} ms", _BLUE)
        return _draw("response", value, color)
    return None


def _status(subject: StatusPage | TargetView) -> str:
    if isinstance(subject, StatusPage):
        return _draw(subject.title, *_OVERALL[subject.status])
    color = _CONDITION_COLORS.get(subject.status, _GREY)
    return _draw(subject.name, CONDITION[subject.status], color)


def _uptime(ratio: float | None, days: int) -> str:
    color = _GREY
    if ratio is not None:
        color = _GREEN if ratio >= 0.999 else _YELLOW if ratio >= 0.99 else _RED
    return _draw(f"uptime {days} days", percent(ratio), color)


def _draw(label: str, value: str, color: str) -> str:
    if len(label) > _MAX_LABEL:
        label = f"{label[: _MAX_LABEL - 1]}…"
    left, right = _width(label), _width(value)
    alt = escape(f"{label}: {value}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20"'
        f' role="img" aria-label="{alt}"><title>{alt}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3a4250"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif"'
        f' font-size="11"><text x="{left / 2}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2}" y="14">{escape(value)}</text></g></svg>'
    )


def _width(text: str) -> int:
    return 10 + sum(14 if ord(char) >= _WIDE else 7 for char in text)
