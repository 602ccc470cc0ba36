"""A status page's incidents and maintenance as an Atom feed (RFC 4287)."""

from html import escape
from typing import Final, NamedTuple

from chalicelib.common.ids import derived_id
from chalicelib.status_pages.text import duration, stamp, utc_time
from chalicelib.status_pages.view import IncidentView, MaintenanceView, StatusPage

MEDIA: Final = "application/atom+xml"


class _Entry(NamedTuple):
    updated_at: int
    id: str
    title: str
    text: str


def render(page: StatusPage, base_url: str) -> str:
    """Return the feed. Its links begin with `base_url`, or are relative if that is empty."""
    url = f"{base_url}/status/{page.slug}" if base_url else f"../{page.slug}"
    own_url = f"{url}/feed" if base_url else "feed"
    entries = [*map(_incident, page.incidents), *map(_maintenance, page.maintenance)]
    entries.sort(reverse=True)
    updated_at = max([page.updated_at, *(entry.updated_at for entry in entries)])
    title, link = (
        escape(page.title),
        f'<link rel="alternate" type="text/html" href="{escape(url)}"/>',
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{_urn(page.id)}</id><title>{title}</title>"
        f"<updated>{stamp(updated_at)}</updated><author><name>{title}</name></author>{link}"
        f'<link rel="self" type="{MEDIA}" href="{escape(own_url)}"/>'
        f"{''.join(_render_entry(entry, link) for entry in entries)}</feed>\n"
    )


def _render_entry(entry: _Entry, link: str) -> str:
    return (
        f"<entry><id>{_urn(entry.id)}</id><title>{escape(entry.title)}</title>"
        f"<updated>{stamp(entry.updated_at)}</updated>{link}"
        f'<content type="text">{escape(entry.text)}</content></entry>'
    )


def _incident(incident: IncidentView) -> _Entry:
    start = utc_time(incident.first_failed_at)
    if incident.closed_at is not None:
        lasted = duration(incident.closed_at - incident.first_failed_at)
        title = f"{incident.target} was down for {lasted}"
        text = f"From {start} to {utc_time(incident.closed_at)}."
    else:
        title, text = f"{incident.target} is down", f"Since {start}."
        if incident.acknowledged_at is not None:
            text += f" Being looked into since {utc_time(incident.acknowledged_at)}."
    return _Entry(incident.updated_at, incident.id, title, text)


def _maintenance(window: MaintenanceView) -> _Entry:
    span = f"From {utc_time(window.starts_at)} to {utc_time(window.ends_at)}"
    updated_at = window.starts_at if window.active else window.announced_at
    text = f"{span}: {', '.join(window.targets)}."
    return _Entry(updated_at, window.id, f"Maintenance: {window.name}", text)


def _urn(public_id: str) -> str:
    """Return a permanent id, by which feed readers recognise an entry."""
    return f"urn:uuid:{derived_id(0, 'feed', public_id)}"
