"""A status page's incidents and maintenance as an Atom feed (RFC 4287)."""

from collections.abc import Iterator
from html import escape
from typing import Final

from chalicelib.common.ids import derived_id
from chalicelib.status_pages.text import length, moment, stamp
from chalicelib.status_pages.view import ShownIncident, ShownMaintenance, StatusPage

MEDIA: Final = "application/atom+xml"


def render(page: StatusPage, address: str) -> str:
    """The feed. `address` is where the API is reached, for links; they are relative without."""
    place = f"{address}/status/{page.slug}" if address else f"../{page.slug}"
    itself = f"{place}/feed" if address else "feed"
    entries = [*map(_incident, page.incidents), *map(_maintenance, page.maintenance)]
    entries.sort(key=lambda entry: (entry[1], entry[0]), reverse=True)
    updated_at = max([page.updated_at, *(at for _, at, _, _ in entries)])
    return "".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
            f"<id>{_urn(page.id)}</id><title>{_text(page.title)}</title>",
            f"<updated>{stamp(updated_at)}</updated>",
            f"<author><name>{_text(page.title)}</name></author>",
            f'<link rel="alternate" type="text/html" href="{_text(place)}"/>',
            f'<link rel="self" type="{MEDIA}" href="{_text(itself)}"/>',
            *_written(place, entries),
            "</feed>\n",
        ]
    )


_Entry = tuple[str, int, str, str]
"""Id, time of the newest change, title, text."""


def _written(place: str, entries: list[_Entry]) -> Iterator[str]:
    for name, at, title, text in entries:
        yield (
            f"<entry><id>{_urn(name)}</id><title>{_text(title)}</title>"
            f"<updated>{stamp(at)}</updated>"
            f'<link rel="alternate" type="text/html" href="{_text(place)}"/>'
            f'<content type="text">{_text(text)}</content></entry>'
        )


def _incident(incident: ShownIncident) -> _Entry:
    begins = moment(incident.opened_at)
    if incident.closed_at is not None:
        lasted = length(incident.closed_at - incident.opened_at)
        title = f"{incident.target} was down for {lasted}"
        text = f"From {begins} to {moment(incident.closed_at)}."
    else:
        title, text = f"{incident.target} is down", f"Since {begins}."
        if incident.acknowledged_at is not None:
            text += f" Being looked into since {moment(incident.acknowledged_at)}."
    return incident.id, incident.updated_at, title, text


def _maintenance(window: ShownMaintenance) -> _Entry:
    span = f"From {moment(window.starts_at)} to {moment(window.ends_at)}"
    at = window.starts_at if window.active else window.announced_at
    return window.id, at, f"Maintenance: {window.name}", f"{span}: {', '.join(window.targets)}."


def _urn(public_id: str) -> str:
    """An id for readers of feeds, the same for ever."""
    return f"urn:uuid:{derived_id(0, 'feed', public_id)}"


def _text(text: str) -> str:
    return escape(text)
