"""Status pages."""

from collections.abc import Iterator
from typing import Any

import click

from monitum_cli.commands.common import delete, selection, with_session, yes_option
from monitum_cli.formatting import short_id, yes_no
from monitum_cli.lookup import PAGE, TARGET, find, find_id, names_by_id
from monitum_cli.session import Session

_page_argument = click.argument("page", metavar="PAGE")


@click.group()
def pages() -> None:
    """Manage public status pages."""


@pages.command("ls")
@with_session
def list_pages(session: Session) -> None:
    """List status pages."""

    def row(page: dict[str, Any]) -> tuple[object, ...]:
        return (
            page["name"],
            yes_no(page["published"]),
            _url(session, page),
            _selection(page),
            short_id(page["id"]),
        )

    found = list(session.api.paginate("/v1/pages"))
    session.output.items(found, ("NAME", "PUBLISHED", "ADDRESS", "SHOWS", "ID"), row)


def _url(session: Session, page: dict[str, Any]) -> str:
    return f"{session.api.credentials.url}/status/{page['slug']}"


def _selection(page: dict[str, Any]) -> str | None:
    """Summarize the targets of a page and its sections, each counted once."""
    parts = [page, *page["sections"]]
    tags = dict.fromkeys(tag for part in parts for tag in part["tags"])
    return selection(tags, len({target for part in parts for target in part["target_ids"]}))


@pages.command()
@_page_argument
@with_session
def show(session: Session, page: str) -> None:
    """Show a status page's settings."""
    found = find(session.api, PAGE, page)
    session.output.item(found, _fields(session, found))


def _fields(session: Session, page: dict[str, Any]) -> Iterator[tuple[str, object]]:
    names = names_by_id(session.api.paginate("/v1/targets"))

    def shown(part: dict[str, Any]) -> str | None:
        targets = [names.get(target, target) for target in part["target_ids"]]
        return ", ".join([*targets, *(f"tag {tag}" for tag in part["tags"])]) or None

    yield "name", page["name"]
    yield "id", page["id"]
    yield "address", _url(session, page)
    yield "published", yes_no(page["published"])
    yield "title", page["title"]
    yield "description", page["description"]
    yield "shows", shown(page)
    for section in page["sections"]:
        yield f"section {section['name']}", shown(section)
    yield "response times", yes_no(page["show_response_times"])
    yield "history", f"{page['history_days']} days"


@pages.command()
@click.argument("name")
@click.option("--slug", required=True, help="The last part of the page's URL.")
@click.option("--title", help="The title that visitors see; default the name.")
@click.option("--target", "targets", multiple=True, help="A target to show, in order; or --tag.")
@click.option("--tag", "tags", multiple=True)
@click.option("--publish", "published", is_flag=True, help="Publish the page immediately.")
@with_session
def add(session: Session, /, name: str, *, targets: tuple[str, ...], **options: Any) -> None:
    """Create a status page. To create one with sections, use `apply`."""
    body = {"name": name, **{field: value for field, value in options.items() if value}}
    body["target_ids"] = [find_id(session.api, TARGET, target) for target in targets]
    created = session.api.create("/v1/pages", body)
    note = "" if created["published"] else " (not published)"
    text = f"Created status page {created['name']}{note}: {_url(session, created)}"
    session.output.result(created, text)


@pages.command()
@_page_argument
@with_session
def publish(session: Session, page: str) -> None:
    """Publish a status page."""
    updated = _set_published(session, page, published=True)
    text = f"Published status page {updated['name']}: {_url(session, updated)}"
    session.output.result(updated, text)


@pages.command()
@_page_argument
@with_session
def unpublish(session: Session, page: str) -> None:
    """Unpublish a status page, keeping its settings."""
    updated = _set_published(session, page, published=False)
    session.output.result(updated, f"Unpublished status page {updated['name']}")


def _set_published(session: Session, page: str, *, published: bool) -> dict[str, Any]:
    path = f"/v1/pages/{find_id(session.api, PAGE, page)}"
    updated: dict[str, Any] = session.api.update(path, {"published": published}).value
    return updated


@pages.command()
@_page_argument
@yes_option
@with_session
def rm(session: Session, page: str, *, yes: bool) -> None:
    """Delete a status page. Its slug becomes available to others."""
    delete(session, PAGE, find(session.api, PAGE, page), yes=yes)
