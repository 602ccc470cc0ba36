"""Plan the steps from the current resources to those of a manifest. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from monitum_cli.errors import CliError
from monitum_cli.manifest.defaults import with_defaults
from monitum_cli.manifest.diff import Difference, differences
from monitum_cli.manifest.load import DesiredResource, Manifest
from monitum_cli.manifest.schema import MASK, SECTIONS, Section, iter_masks, iter_references
from monitum_cli.manifest.state import CurrentResource, NameIndex, State, duplicates_message


class Action(StrEnum):
    """What a step does."""

    CREATE = "create"
    CHANGE = "change"
    SEND = "send"
    """Sends secrets that may differ from the stored ones; no visible field differs."""
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """A change to one resource, which has no `desired` state if the step deletes it, and no
    `current` one if it creates it.
    """

    action: Action
    section: Section
    name: str
    desired: DesiredResource | None = None
    current: CurrentResource | None = None
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order of execution, the number of unchanged resources, and those kept
    although they are not in the manifest.
    """

    steps: list[Step]
    unchanged: int
    kept: list[str]

    @property
    def has_changes(self) -> bool:
        return any(step.action is not Action.SEND for step in self.steps)


def make_plan(manifest: Manifest, state: State, names: NameIndex, *, prune: bool) -> Plan:
    """Plan the steps; raises CliError with the line of what is impossible.

    With `prune`, resources that are missing from a section of the manifest are deleted. Sections
    that are not in the manifest are left alone.
    """
    steps, unchanged = [], 0
    for section in manifest.values():
        for desired in section.values():
            _check_references(manifest, desired, names, prune=prune)
            current = _current(desired, state)
            step = _create(desired) if current is None else _change(desired, current)
            if step is None:
                unchanged += 1
            else:
                steps.append(step)
    extra = list(_not_in_manifest(manifest, state))
    if prune:
        deletions = [Step(Action.DELETE, section, one.name, current=one) for section, one in extra]
        # Reversed, so that nothing is deleted while something else refers to it.
        return Plan([*steps, *reversed(deletions)], unchanged, [])
    return Plan(steps, unchanged, [f"{section.noun} {one.name}" for section, one in extra])


def _current(desired: DesiredResource, state: State) -> CurrentResource | None:
    found = [one for one in state[desired.section.name] if one.name == desired.name]
    if len(found) > 1:
        ids = [one.id for one in found]
        raise desired.error(duplicates_message(desired.section, desired.name, ids))
    return found[0] if found else None


def _create(desired: DesiredResource) -> Step:
    for path in iter_masks(desired.fields):
        raise desired.error(
            f"{MASK} stands for a stored secret, but {desired.name!r} does not exist yet:"
            " give the secret, best as ${VARIABLE}",
            path,
        )
    return Step(Action.CREATE, desired.section, desired.name, desired)


def _change(desired: DesiredResource, current: CurrentResource) -> Step | None:
    section, kind = desired.section, current.fields.get("kind")
    if kind != desired.fields.get("kind"):
        message = f"kind is immutable: {desired.name!r} has {kind}; delete or rename it first"
        raise desired.error(message, ("kind",))
    stored = set(iter_masks(current.fields))
    for path in iter_masks(desired.fields):
        if path not in stored:
            message = f"{MASK} stands for a stored secret, but none is stored: give the secret"
            raise desired.error(message, path)
    found = differences(
        current.fields,
        with_defaults(section, desired.fields),
        with_defaults(section, desired.literal),
    )
    if not found:
        return None
    action = Action.CHANGE if any(one.certain for one in found) else Action.SEND
    return Step(action, section, desired.name, desired, current, found)


def _check_references(
    manifest: Manifest, desired: DesiredResource, names: NameIndex, *, prune: bool
) -> None:
    """Raise CliError for a name that is neither in the manifest nor of a resource that stays."""
    for path, other, references in iter_references(desired.section, desired.fields):
        for index, name in enumerate(references or []):
            if name in manifest.get(other, {}):
                continue
            try:
                names.id_of(other, name)
            except CliError as error:
                raise desired.error(str(error), (*path, index)) from None
            if prune and other in manifest:
                message = f"{name!r} is not in the file's {other}, so --prune would delete it"
                raise desired.error(message, (*path, index))


def _not_in_manifest(manifest: Manifest, state: State) -> Iterator[tuple[Section, CurrentResource]]:
    for section in SECTIONS:
        for one in state[section.name] if section.name in manifest else ():
            if one.name not in manifest[section.name] and not one.is_over:
                yield section, one
