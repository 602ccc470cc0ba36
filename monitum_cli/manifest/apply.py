"""Does what a plan says, step by step: a step that fails hinders only those that need it.

Nothing is overwritten that was not seen: each change is made to the version that the plan was made
from, or not at all.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitum_cli.client import Api
from monitum_cli.errors import ApiFailure, Exit, Failure
from monitum_cli.manifest.load import Manifest, Wanted
from monitum_cli.manifest.plan import Plan, Step
from monitum_cli.manifest.shape import Place, Section
from monitum_cli.manifest.state import Names, body, present

_HOPELESS = {Exit.DENIED, Exit.LIMITED, Exit.UNREACHABLE}
"""After these the next step would fail as well."""
_ELSEWHERE = "has been changed since the plan was made: apply again"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a step: `outcome` is created, changed, unchanged, deleted, failed or left.

    `id` is that of the thing where it is there; `failure` says why it failed.
    """

    step: Step
    outcome: str
    id: str | None = None
    failure: Failure | None = None


def apply_plan(api: Api, manifest: Manifest, plan: Plan, names: Names) -> Iterator[Done]:
    """Do the steps in order, telling of each; what is not tried after a hopeless one is left."""
    work = _Work(api, manifest, names)
    gave_up = False
    for step in plan.steps:
        if gave_up:
            yield Done(step, "left")
            continue
        try:
            yield work.do(step)
        except Failure as failure:
            gave_up = failure.code in _HOPELESS and not _is_of_step(failure)
            yield Done(step, "failed", failure=work.located(step, failure))


def _is_of_step(failure: Failure) -> bool:
    """A quota or a scope may stop one kind of thing and let others through."""
    return isinstance(failure, ApiFailure) and failure.status == 403


@dataclass(frozen=True, slots=True)
class _Work:
    api: Api
    manifest: Manifest
    names: Names

    def do(self, step: Step) -> Done:
        """One step; raises Failure."""
        if step.wanted is None:
            return self._delete(step)
        if step.present is None:
            return self._create(step, step.wanted)
        return self._change(step, step.wanted)

    def _create(self, step: Step, wanted: Wanted) -> Done:
        section = step.section
        sent = {"name": step.name, **body(section, wanted.fields, self.names)}
        # The same for everybody who applies this file, so that two at once make one thing.
        key = hashlib.sha256(f"apply {section.name} {step.name}".encode()).hexdigest()
        made = self._made(section, sent, key)
        if made is None:
            # Within the day the key made another thing of this name, or one that is gone since.
            self._check_is_new(section, step.name)
            made = self.api.create(section.path, sent)
        self.names.add(section.name, step.name, made["id"])
        return Done(step, "created", made["id"])

    def _made(self, section: Section, sent: dict[str, Any], key: str) -> dict[str, Any] | None:
        """What is made with the key, or was made before and is still there."""
        try:
            answer = self.api.create_once(section.path, sent, key)
            made: dict[str, Any] = answer.value
            now = self.api.get(f"{section.path}/{made['id']}") if answer.is_repeated else made
        except ApiFailure as error:
            if error.status not in {404, 409}:
                raise
            return None
        return made if now["name"] == sent["name"] else None

    def _check_is_new(self, section: Section, name: str) -> None:
        if any(one["name"] == name for one in self.api.each(section.path)):
            raise Failure(f"{name!r} {_ELSEWHERE}", Exit.CONFLICT)

    def _change(self, step: Step, wanted: Wanted) -> Done:
        assert step.present is not None
        path, etag = self._unchanged_since(step)
        fields = list(dict.fromkeys(one.field.partition(".")[0] for one in step.differences))
        sent = body(step.section, wanted.fields, self.names, fields)
        after = self.api.change(path, sent, etag)
        outcome = "unchanged" if after.etag is not None and after.etag == etag else "changed"
        return Done(step, outcome, step.present.id)

    def _delete(self, step: Step) -> Done:
        assert step.present is not None
        path, etag = self._unchanged_since(step)
        self.api.remove(path, etag)
        return Done(step, "deleted", step.present.id)

    def _unchanged_since(self, step: Step) -> tuple[str, str | None]:
        """The path and ETag of what the plan saw; raises Failure where it is not so any more."""
        assert step.present is not None
        path = f"{step.section.path}/{step.present.id}"
        now = self.api.fetch(path)
        seen = present(step.section, now.value, self.names)
        if (seen.name, seen.fields) != (step.present.name, step.present.fields):
            raise Failure(f"{step.name!r} {_ELSEWHERE}", Exit.CONFLICT)
        return path, now.etag

    def located(self, step: Step, failure: Failure) -> Failure:
        """The failure with the line of the file that it is about."""
        if step.wanted is None:
            return failure
        source = self.manifest.source
        if not isinstance(failure, ApiFailure) or not failure.faults:
            return Failure(f"{source.name}:{step.wanted.line()}: {failure}", failure.code)
        told = []
        for loc, message in failure.faults:
            place = _in_file(step.section, loc)
            field = ".".join(map(str, place)) or step.name
            told.append(f"{source.name}:{step.wanted.line(place)}: {field}: {message}")
        return Failure("; ".join(told), failure.code)


def _in_file(section: Section, loc: Place) -> Place:
    """The way to a field in the file for the API's way to it: references are called otherwise."""
    ours = {theirs: name for name, (theirs, _) in section.references.items()}
    if loc and loc[0] in ours:
        return (ours[str(loc[0])], *loc[1:])
    part = section.parts.get(str(loc[0])) if loc else None
    return (*loc[:2], *_in_file(part, loc[2:])) if part else loc
