"""What there is: everything that a file can be about, as the API has it, with names for ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitum_cli.client import Api
from monitum_cli.errors import Exit, Failure
from monitum_cli.manifest.shape import BY_NAME, SECTIONS, Section
from monitum_cli.manifest.spelling import whole
from monitum_cli.texts import listed


@dataclass(frozen=True, slots=True)
class Present:
    """One thing as it is, every default said, references by name.

    `is_over` says that it is a maintenance window without a time to come.
    """

    id: str
    name: str
    fields: dict[str, Any]
    is_over: bool = False


class Names:
    """Ids and names of what there is, section by section; names may be there twice."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, list[str]]] = {section.name: {} for section in SECTIONS}

    def add(self, section: str, name: str, identifier: str) -> None:
        self._ids[section].setdefault(name, []).append(identifier)

    def id_of(self, section: str, name: str) -> str:
        """The id behind a name; raises Failure where it is none's or several things'."""
        found = self._ids[section].get(name, [])
        word = BY_NAME[section].word
        if not found:
            raise Failure(f"there is no {word} {name!r}", Exit.NOT_FOUND)
        if len(found) > 1:
            raise Failure(
                f"{len(found)} {word}s are called {name!r} ({listed(found)}): rename all but one",
                Exit.CONFLICT,
            )
        return found[0]

    def name_of(self, section: str, identifier: str) -> str:
        """The name behind an id, or the id where nothing is called so, or more than one thing."""
        for name, ids in self._ids[section].items():
            if identifier in ids:
                return name if len(ids) == 1 else identifier
        return identifier

    def twice(self, section: str) -> dict[str, list[str]]:
        """The names that several things have, with the ids of those."""
        return {name: ids for name, ids in self._ids[section].items() if len(ids) > 1}


def read(api: Api) -> tuple[dict[str, list[Present]], Names]:
    """Everything there is, section by section; raises Failure."""
    names = Names()
    found = {section.name: _of_account(api.each(section.path)) for section in SECTIONS}
    for section in SECTIONS:
        for item in found[section.name]:
            names.add(section.name, item["name"], item["id"])
    return {
        section.name: [present(section, item, names) for item in found[section.name]]
        for section in SECTIONS
    }, names


def present(section: Section, item: Mapping[str, Any], names: Names) -> Present:
    """An item of the API's as a file would have it."""
    fields = whole(section, _by_name(section, item, names))
    return Present(item["id"], item["name"], fields, _is_over(item))


def _by_name(section: Section, item: Mapping[str, Any], names: Names) -> dict[str, Any]:
    given = dict(item)
    for field, (theirs, other) in section.references.items():
        given[field] = [names.name_of(other, one) for one in item.get(theirs) or []]
    for field, part in section.parts.items():
        given[field] = [_by_name(part, one, names) for one in item.get(field) or []]
    return given


def _of_account(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items, of windows that are over only the last of a name that no other has."""
    every = list(items)
    lasting = [item for item in every if not _is_over(item)]
    taken = {item["name"] for item in lasting}
    last = {item["name"]: item for item in every if item["name"] not in taken}
    return [*lasting, *last.values()]


def _is_over(item: Mapping[str, Any]) -> bool:
    return item.get("active") is False and item.get("next") is None


def body(
    section: Section, fields: Mapping[str, Any], names: Names, only: Iterable[str] | None = None
) -> dict[str, Any]:
    """What the API is sent: the fields, or some of them with null for what is not said.

    Raises Failure where a name leads nowhere.
    """
    chosen = fields if only is None else {name: fields.get(name) for name in only}
    sent: dict[str, Any] = {}
    for name, value in chosen.items():
        theirs, other = section.references.get(name, (name, ""))
        if other and value is not None:
            sent[theirs] = [names.id_of(other, one) for one in value]
        elif name in section.parts and value is not None:
            sent[name] = [body(section.parts[name], one, names) for one in value]
        else:
            sent[theirs] = value
    return sent
