"""From what people type to the one thing that they mean: an id, the beginning of one, or a name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from monitum_cli.client import Api
from monitum_cli.errors import ApiFailure, Exit, Failure
from monitum_cli.texts import listed

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
_MOST_UNNAMED = 2_000
"""Of things that have no name only so many of the newest are looked through."""


@dataclass(frozen=True, slots=True)
class Noun:
    """What can be named: what one is called, where they are listed, and whether they have names."""

    word: str
    path: str
    named: bool = True
    searchable: bool = False
    """Whether the list takes `q`, part of a name."""
    readable: bool = True
    """Whether one can be asked for by its id."""


TARGET = Noun("target", "/v1/targets", searchable=True)
CHANNEL = Noun("channel", "/v1/channels")
INCIDENT = Noun("incident", "/v1/incidents", named=False)
WINDOW = Noun("maintenance window", "/v1/maintenance")
PAGE = Noun("status page", "/v1/pages")
USER = Noun("user", "/v1/users")
TOKEN = Noun("token", "/v1/tokens", readable=False)


def find(api: Api, noun: Noun, given: str) -> dict[str, Any]:
    """The one thing that `given` means. A name comes before a prefix. Raises Failure."""
    found = _by_id(api, noun, given) or _by_name(api, noun, given) or _by_prefix(api, noun, given)
    if not found:
        by = "an id, its beginning or a name" if noun.named else "an id or its beginning"
        raise Failure(f"there is no {noun.word} {given!r}: give {by}", Exit.NOT_FOUND)
    if len(found) > 1:
        ids = listed([one["id"] for one in found])
        raise Failure(f"{given!r} means {len(found)} {noun.word}s: {ids}", Exit.NOT_FOUND)
    return found[0]


def _by_id(api: Api, noun: Noun, given: str) -> list[dict[str, Any]]:
    if not noun.readable or not _ID.fullmatch(given):
        return []
    try:
        return [api.get(f"{noun.path}/{given}")]
    except ApiFailure as error:
        if error.status != 404:
            raise
        return []


def _by_name(api: Api, noun: Noun, given: str) -> list[dict[str, Any]]:
    if not noun.named:
        return []
    query = {"q": given[:200]} if noun.searchable and given else {}
    return [one for one in api.each(noun.path, **query) if one["name"] == given]


def _by_prefix(api: Api, noun: Noun, given: str) -> list[dict[str, Any]]:
    if not _PREFIX.fullmatch(given):
        return []
    every = islice(api.each(noun.path), None if noun.named else _MOST_UNNAMED)
    return [one for one in every if one["id"].startswith(given)]


def find_id(api: Api, noun: Noun, given: str) -> str:
    return str(find(api, noun, given)["id"])


def names_by_id(items: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {one["id"]: one["name"] for one in items}
