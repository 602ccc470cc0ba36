"""Badges: one line as SVG, a label and what is said of it."""

from html import escape
from typing import Final

from chalicelib.status_pages.page import Condition, Overall
from chalicelib.status_pages.text import CONDITION, share
from chalicelib.status_pages.view import ShownTarget, StatusPage

MEDIA: Final = "image/svg+xml"
_GOOD, _FAIR, _POOR, _BAD, _WORK, _NONE = (
    "#0b7a3d",
    "#8f5d00",
    "#b04a00",
    "#b3201a",
    "#2358b0",
    "#5b6676",
)
_OF_CONDITION: Final = {
    Condition.UP: _GOOD,
    Condition.DEGRADED: _FAIR,
    Condition.DOWN: _BAD,
    Condition.MAINTENANCE: _WORK,
}
_OF_OVERALL: Final = {
    Overall.OPERATIONAL: ("Operational", _GOOD),
    Overall.DEGRADED: ("Degraded", _FAIR),
    Overall.PARTIAL_OUTAGE: ("Partial outage", _POOR),
    Overall.MAJOR_OUTAGE: ("Major outage", _BAD),
    Overall.MAINTENANCE: ("Maintenance", _WORK),
    Overall.UNKNOWN: ("Unknown", _NONE),
}
_LONGEST: Final = 40
_WIDE: Final = 0x2E80
"""From here on characters are twice as wide, most of them."""


def render(page: StatusPage, target_id: str | None, picture: str) -> str | None:
    """The badge of a page, or of the target with this id on it; None where there is no such one."""
    about: StatusPage | ShownTarget | None = page
    if target_id is not None:
        about = next((one for one in page.targets if one.id == target_id), None)
    if about is None:
        return None
    if picture == "status.svg":
        return _status(about)
    if picture == "uptime.svg":
        return _uptime(about.uptime, page.history_days)
    if picture == "response.svg" and page.show_response_times:
        told = "no data" if about.response_ms is None else f"{about.response_ms} ms"
        return _draw("response", told, _NONE if about.response_ms is None else _WORK)
    return None


def _status(about: StatusPage | ShownTarget) -> str:
    if isinstance(about, StatusPage):
        return _draw(about.title, *_OF_OVERALL[about.overall])
    color = _OF_CONDITION.get(about.condition, _NONE)
    return _draw(about.name, CONDITION[about.condition], color)


def _uptime(ratio: float | None, days: int) -> str:
    color = _NONE
    if ratio is not None:
        color = _GOOD if ratio >= 0.999 else _FAIR if ratio >= 0.99 else _BAD
    return _draw(f"uptime {days} days", share(ratio), color)


def _draw(label: str, told: str, color: str) -> str:
    if len(label) > _LONGEST:
        label = f"{label[: _LONGEST - 1]}…"
    left, right = _width(label), _width(told)
    alt = escape(f"{label}: {told}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20"'
        f' role="img" aria-label="{alt}"><title>{alt}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3a4250"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif"'
        f' font-size="11"><text x="{left / 2}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2}" y="14">{escape(told)}</text></g></svg>'
    )


def _width(text: str) -> int:
    return 10 + sum(14 if ord(char) >= _WIDE else 7 for char in text)
