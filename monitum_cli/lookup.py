"""Find a resource by ID, ID prefix or name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from monitum_cli.client import Api
from monitum_cli.errors import ApiError, CliError, ExitCode
from monitum_cli.formatting import join

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
_MAX_UNNAMED = 2_000
"""How many of the newest items a prefix is compared with, for resources without names."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of resource and how the API lets it be found.

    `has_names`: items have a `name`. `has_search`: the list accepts `q`, a part of a name.
    `has_detail`: one item can be read by its ID.
    """

    noun: str
    path: str
    has_names: bool = True
    has_search: bool = False
    has_detail: bool = True


TARGET = ResourceType("target", "/v1/targets", has_search=True)
CHANNEL = ResourceType("channel", "/v1/channels")
INCIDENT = ResourceType("incident", "/v1/incidents", has_names=False)
WINDOW = ResourceType("maintenance window", "/v1/maintenance")
PAGE = ResourceType("status page", "/v1/pages")
USER = ResourceType("user", "/v1/users")
TOKEN = ResourceType("token", "/v1/tokens", has_detail=False)


def find(api: Api, type_: ResourceType, reference: str) -> dict[str, Any]:
    """Return the one resource that `reference` identifies.

    Names take precedence over ID prefixes. Raises CliError if none or several match.
    """
    found = (
        _by_id(api, type_, reference)
        or _by_name(api, type_, reference)
        or _by_prefix(api, type_, reference)
    )
    if not found:
        expected = "an ID, an ID prefix or a name" if type_.has_names else "an ID or an ID prefix"
        raise CliError(f"no {type_.noun} matches {reference!r}: use {expected}", ExitCode.NOT_FOUND)
    if len(found) > 1:
        ids = join([item["id"] for item in found])
        message = f"{reference!r} matches {len(found)} {type_.noun}s: use one of the IDs {ids}"
        raise CliError(message, ExitCode.NOT_FOUND)
    return found[0]


def find_id(api: Api, type_: ResourceType, reference: str) -> str:
    return str(find(api, type_, reference)["id"])


def names_by_id(items: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {item["id"]: item["name"] for item in items}


def _by_id(api: Api, type_: ResourceType, reference: str) -> list[dict[str, Any]]:
    if not type_.has_detail or not _ID.fullmatch(reference):
        return []
    try:
        return [api.get(f"{type_.path}/{reference}")]
    except ApiError as error:
        if error.status != 404:
            raise
        return []


def _by_name(api: Api, type_: ResourceType, reference: str) -> list[dict[str, Any]]:
    if not type_.has_names:
        return []
    query = {"q": reference[:200]} if type_.has_search and reference else {}
    return [item for item in api.paginate(type_.path, **query) if item["name"] == reference]


def _by_prefix(api: Api, type_: ResourceType, reference: str) -> list[dict[str, Any]]:
    if not _PREFIX.fullmatch(reference):
        return []
    items = islice(api.paginate(type_.path), None if type_.has_names else _MAX_UNNAMED)
    return [item for item in items if item["id"].startswith(reference)]
