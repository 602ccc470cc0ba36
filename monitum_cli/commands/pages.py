"""Status pages: what everybody may see."""

from typing import Any

import click

from monitum_cli.commands.options import json_option, short, with_session, yes_option
from monitum_cli.commands.removing import remove
from monitum_cli.finding import PAGE, TARGET, find, find_id, names_by_id
from monitum_cli.session import Session

_one = click.argument("page", metavar="PAGE")


@click.group()
def pages() -> None:
    """What everybody may see."""


@pages.command("ls")
@json_option
@with_session
def list_pages(session: Session, *, as_json: bool) -> None:
    """List status pages."""
    found = list(session.api.each("/v1/pages"))
    if as_json:
        session.output.json({"items": found, "next_cursor": None})
        return
    session.output.table(
        ("NAME", "PUBLISHED", "ADDRESS", "SHOWS", "ID"),
        (
            (
                one["name"],
                "yes" if one["published"] else "no",
                _address(session, one),
                _shows(one),
                short(one["id"]),
            )
            for one in found
        ),
    )


def _address(session: Session, page: dict[str, Any]) -> str:
    return f"{session.api.login.url}/status/{page['slug']}"


def _shows(page: dict[str, Any]) -> str | None:
    parts = [page, *page["sections"]]
    count = len({one for part in parts for one in part["target_ids"]})
    tags = dict.fromkeys(tag for part in parts for tag in part["tags"])
    return ", ".join([*tags, *([f"{count} targets"] if count else [])]) or None


@pages.command()
@_one
@json_option
@with_session
def show(session: Session, page: str, *, as_json: bool) -> None:
    """Show a status page as its owner sees it."""
    found = find(session.api, PAGE, page)
    if as_json:
        session.output.json(found)
        return
    names = names_by_id(session.api.each("/v1/targets"))

    def told(part: dict[str, Any]) -> str | None:
        tags = [f"tag {tag}" for tag in part["tags"]]
        return ", ".join([*(names.get(one, one) for one in part["target_ids"]), *tags]) or None

    session.output.pairs(
        [
            ("name", found["name"]),
            ("id", found["id"]),
            ("address", _address(session, found)),
            ("published", "yes" if found["published"] else "no"),
            ("title", found["title"]),
            ("description", found["description"]),
            ("shows", told(found)),
            *((f"section {part['name']}", told(part)) for part in found["sections"]),
            ("response times", "yes" if found["show_response_times"] else "no"),
            ("history", f"{found['history_days']} days"),
        ]
    )


@pages.command()
@click.argument("name")
@click.option("--slug", required=True, help="Where it is: the end of its address.")
@click.option("--title", help="What visitors read; else the name.")
@click.option("--target", "targets", multiple=True, help="What is shown, in this order; or --tag.")
@click.option("--tag", "tags", multiple=True)
@click.option("--publish", "published", is_flag=True, help="Let everybody see it at once.")
@json_option
@with_session
def add(
    session: Session, /, name: str, *, targets: tuple[str, ...], as_json: bool, **given: Any
) -> None:
    """Make a status page; one with sections is made from a file, by `apply`."""
    body = {"name": name, **{key: value for key, value in given.items() if value}}
    body["target_ids"] = [find_id(session.api, TARGET, target) for target in targets]
    made = session.api.create("/v1/pages", body)
    if as_json:
        session.output.json(made)
        return
    seen = "public" if made["published"] else "made, and not published yet"
    session.output.line(f"{made['name']} is {seen}: {_address(session, made)}")


@pages.command()
@_one
@json_option
@with_session
def publish(session: Session, page: str, *, as_json: bool) -> None:
    """Let everybody see a status page."""
    found = find(session.api, PAGE, page)
    made = session.api.change(f"/v1/pages/{found['id']}", {"published": True}).value
    told = f"{made['name']} is public: {_address(session, made)}"
    session.output.told(made, told, as_json=as_json)


@pages.command()
@_one
@json_option
@with_session
def unpublish(session: Session, page: str, *, as_json: bool) -> None:
    """Take a status page off; it stays as it is, for nobody but you."""
    found = find(session.api, PAGE, page)
    after = session.api.change(f"/v1/pages/{found['id']}", {"published": False}).value
    session.output.told(after, f"{after['name']} is not published any more", as_json=as_json)


@pages.command()
@_one
@yes_option
@json_option
@with_session
def rm(session: Session, page: str, *, yes: bool, as_json: bool) -> None:
    """Delete a status page: its slug is free for others."""
    remove(session, PAGE, find(session.api, PAGE, page), yes=yes, as_json=as_json)
