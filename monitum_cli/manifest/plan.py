"""What has to be done so that everything is as a file wants it; nothing is done here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from monitum_cli.errors import Exit, Failure
from monitum_cli.manifest.compare import Difference, differences
from monitum_cli.manifest.load import Manifest, Wanted
from monitum_cli.manifest.shape import MASK, SECRET_TEXTS, SECTIONS, Section, named
from monitum_cli.manifest.spelling import whole
from monitum_cli.manifest.state import Names, Present
from monitum_cli.texts import listed


class Action(StrEnum):
    """What is done with one thing."""

    CREATE = "create"
    CHANGE = "change"
    SEND = "send"
    """Nothing differs that can be seen; secrets are sent, in case they do."""
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; without `wanted` it is a deletion, without `present` a creation."""

    action: Action
    section: Section
    name: str
    wanted: Wanted | None = None
    present: Present | None = None
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in the order of doing, and what else is to be told."""

    steps: list[Step]
    unchanged: int
    left_alone: list[str]
    """What is there and not in the file, and stays."""

    @property
    def changes(self) -> list[Step]:
        return [step for step in self.steps if step.action is not Action.SEND]


def make_plan(
    manifest: Manifest, found: dict[str, list[Present]], names: Names, *, prune: bool
) -> Plan:
    """What to do; raises Failure, naming the line, for what could not be done.

    With `prune` what is not in a section of the file is deleted; a section that the file does not
    have is left alone.
    """
    steps, unchanged = [], 0
    for wanted in manifest.each():
        _check_references(manifest, wanted, names, prune=prune)
        before = _present(manifest, wanted, found)
        step = _create(manifest, wanted) if before is None else _change(manifest, wanted, before)
        if step is None:
            unchanged += 1
        else:
            steps.append(step)
    extra = list(_extra(manifest, found))
    if prune:
        # What refers to something goes before what it refers to.
        gone = [Step(Action.DELETE, section, one.name, present=one) for section, one in extra]
        steps += reversed(gone)
    left = [] if prune else [f"{section.word} {one.name}" for section, one in extra]
    return Plan(steps, unchanged, left)


def _present(manifest: Manifest, wanted: Wanted, found: dict[str, list[Present]]) -> Present | None:
    same = [one for one in found[wanted.section.name] if one.name == wanted.name]
    if len(same) > 1:
        raise _at(manifest, wanted, _twice(wanted.section, wanted.name, [one.id for one in same]))
    return same[0] if same else None


def _twice(section: Section, name: str, ids: list[str]) -> str:
    return f"{len(ids)} {section.word}s are called {name!r} ({listed(ids)}): rename all but one"


def _create(manifest: Manifest, wanted: Wanted) -> Step:
    for place in masks(wanted.fields):
        raise _at(
            manifest,
            wanted,
            f"{MASK} stands for a stored secret, and {wanted.name!r} is not there yet:"
            " give it, best as ${VARIABLE}",
            place,
        )
    return Step(Action.CREATE, wanted.section, wanted.name, wanted)


def _change(manifest: Manifest, wanted: Wanted, before: Present) -> Step | None:
    section = wanted.section
    if before.fields.get("kind") != wanted.fields.get("kind"):
        raise _at(
            manifest,
            wanted,
            f"{wanted.name!r} is of kind {before.fields.get('kind')}, which does not change:"
            " delete or rename it first",
            ("kind",),
        )
    stored = set(masks(before.fields))
    for place in masks(wanted.fields):
        if place not in stored:
            raise _at(manifest, wanted, f"{MASK} stands for a stored secret: there is none", place)
    after, shown = whole(section, wanted.fields), whole(section, wanted.shown)
    found = differences(before.fields, after, shown)
    if not found:
        return None
    certain = any(one.certain for one in found)
    action = Action.CHANGE if certain else Action.SEND
    return Step(action, section, wanted.name, wanted, before, found)


def _check_references(manifest: Manifest, wanted: Wanted, names: Names, *, prune: bool) -> None:
    """Refuse names that lead nowhere, neither in the file nor to what is there and stays."""
    for way, other, listed_names in named(wanted.section, wanted.fields):
        for place, name in enumerate(listed_names or []):
            if name in manifest.sections.get(other, {}):
                continue
            try:
                names.id_of(other, name)
            except Failure as error:
                raise _at(manifest, wanted, str(error), (*way, place)) from None
            if prune and other in manifest.sections:
                what = f"{name!r} is not in the file's {other}, and --prune would delete it"
                raise _at(manifest, wanted, what, (*way, place))


def _extra(
    manifest: Manifest, found: dict[str, list[Present]]
) -> Iterator[tuple[Section, Present]]:
    for section in SECTIONS:
        if section.name in manifest.sections:
            wanted = manifest.sections[section.name]
            extra = (one for one in found[section.name] if one.name not in wanted)
            yield from ((section, one) for one in extra if not one.is_over)


def masks(fields: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The places where a mask stands for a stored secret."""
    url = fields.get("url")
    if isinstance(url, str) and (url.endswith(f"://{MASK}") or f"://{MASK}@" in url):
        yield ("url",)
    yield from ((name,) for name in SECRET_TEXTS if fields.get(name) == MASK)
    yield from (("headers", name) for name, value in _headers(fields).items() if value == MASK)


def _headers(fields: dict[str, Any]) -> dict[str, Any]:
    headers = fields.get("headers")
    return headers if isinstance(headers, dict) else {}


def _at(
    manifest: Manifest, wanted: Wanted, what: str, place: tuple[str | int, ...] = ()
) -> Failure:
    where = f"{manifest.source.name}:{wanted.line(place)}"
    return Failure(f"{where}: {what}", Exit.INVALID)
