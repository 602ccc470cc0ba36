"""The current resources of an account, as a manifest describes them: with names instead of IDs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitum_cli.client import Api
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import join
from monitum_cli.manifest.defaults import with_defaults
from monitum_cli.manifest.schema import SECTIONS, SECTIONS_BY_NAME, Section


@dataclass(frozen=True, slots=True)
class CurrentResource:
    """A resource with all defaults filled in and references by name.

    `is_over`: it is a maintenance window without a future occurrence.
    """

    id: str
    name: str
    fields: dict[str, Any]
    is_over: bool = False


State = Mapping[str, list[CurrentResource]]
"""The current resources by section."""


class NameIndex:
    """The IDs by name of each section. The API allows duplicate names."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, list[str]]] = {section.name: {} for section in SECTIONS}

    def add(self, section: str, name: str, identifier: str) -> None:
        self._ids[section].setdefault(name, []).append(identifier)

    def id_of(self, section: str, name: str) -> str:
        """Return the ID of a name; raises CliError if no resource or several have it."""
        ids = self._ids[section].get(name, [])
        if not ids:
            noun = SECTIONS_BY_NAME[section].noun
            raise CliError(f"no {noun} is named {name!r}", ExitCode.NOT_FOUND)
        if len(ids) > 1:
            message = duplicates_message(SECTIONS_BY_NAME[section], name, ids)
            raise CliError(message, ExitCode.CONFLICT)
        return ids[0]

    def name_of(self, section: str, identifier: str) -> str:
        """Return the name of an ID, or the ID if its name is unknown or not unique."""
        for name, ids in self._ids[section].items():
            if identifier in ids:
                return name if len(ids) == 1 else identifier
        return identifier

    def duplicates(self, section: str) -> dict[str, list[str]]:
        """Return the names that several resources have, with their IDs."""
        return {name: ids for name, ids in self._ids[section].items() if len(ids) > 1}


def duplicates_message(section: Section, name: str, ids: list[str]) -> str:
    return f"{len(ids)} {section.noun}s are named {name!r} ({join(ids)}): rename all but one"


def read_state(api: Api) -> tuple[State, NameIndex]:
    """Read all resources of the account."""
    names = NameIndex()
    items = {section.name: _relevant(api.paginate(section.path)) for section in SECTIONS}
    for section in SECTIONS:
        for item in items[section.name]:
            names.add(section.name, item["name"], item["id"])
    state = {
        section.name: [from_api(section, item, names) for item in items[section.name]]
        for section in SECTIONS
    }
    return state, names


def from_api(section: Section, item: Mapping[str, Any], names: NameIndex) -> CurrentResource:
    """Convert an item of the API to a resource of a manifest."""
    fields = with_defaults(section, _with_names(section, item, names))
    return CurrentResource(item["id"], item["name"], fields, _is_over(item))


def to_api(
    section: Section,
    fields: Mapping[str, Any],
    names: NameIndex,
    only: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Convert fields of a manifest to a request body; raises CliError for an unknown name.

    With `only`, the body has these fields, with null for those that the manifest leaves out.
    """
    selected = fields if only is None else {name: fields.get(name) for name in only}
    body: dict[str, Any] = {}
    for name, value in selected.items():
        api_name, other = section.references.get(name, (name, ""))
        if other and value is not None:
            body[api_name] = [names.id_of(other, reference) for reference in value]
        elif name in section.parts and value is not None:
            body[name] = [to_api(section.parts[name], item, names) for item in value]
        else:
            body[api_name] = value
    return body


def _with_names(section: Section, item: Mapping[str, Any], names: NameIndex) -> dict[str, Any]:
    fields = dict(item)
    for field, (api_name, other) in section.references.items():
        fields[field] = [names.name_of(other, one) for one in item.get(api_name) or []]
    for field, part in section.parts.items():
        fields[field] = [_with_names(part, one, names) for one in item.get(field) or []]
    return fields


def _relevant(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out windows that are over, except the last of a name that nothing else has.

    That one keeps a manifest that still contains it from creating the window again.
    """
    listed = list(items)
    lasting = [item for item in listed if not _is_over(item)]
    taken = {item["name"] for item in lasting}
    last = {item["name"]: item for item in listed if item["name"] not in taken}
    return [*lasting, *last.values()]


def _is_over(item: Mapping[str, Any]) -> bool:
    return item.get("active") is False and item.get("next") is None
