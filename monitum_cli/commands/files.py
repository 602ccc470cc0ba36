"""Everything as one file: export, plan, apply."""

import json
from collections.abc import Iterable
from typing import Any

import click

from monitum_cli.commands.options import json_option, with_session, yes_option
from monitum_cli.errors import Exit
from monitum_cli.manifest import state
from monitum_cli.manifest.apply import Done, apply_plan
from monitum_cli.manifest.compare import Difference
from monitum_cli.manifest.load import Manifest, load, read_file
from monitum_cli.manifest.plan import Action, Plan, Step, make_plan, masks
from monitum_cli.manifest.state import Names
from monitum_cli.manifest.write import as_yaml, export
from monitum_cli.session import Session
from monitum_cli.texts import listed

_file = click.argument("file", metavar="FILE")
_prune = click.option("--prune", is_flag=True, help="Delete what is not in the file's sections.")
_SIGNS = {Action.CREATE: "+", Action.CHANGE: "~", Action.SEND: "?", Action.DELETE: "-"}
_STYLES = {Action.CREATE: "green", Action.CHANGE: "yellow", Action.DELETE: "red"}
_LONGEST = 60


@click.command("export")
@json_option
@with_session
def export_file(session: Session, *, as_json: bool) -> None:
    """Print channels, targets, maintenance and pages as a file that `apply` takes."""
    found, names = state.read(session.api)
    things = export(found, names)
    if as_json:
        session.output.json(things)
    else:
        session.output.raw(as_yaml(things))
    hidden = sum(len(list(masks(one))) for section in things.values() for one in section.values())
    if hidden:
        session.output.note(
            f"note: {hidden} secrets are written as ***, which stands for what is stored here;"
            " for another account put ${VARIABLE} there"
        )


@click.command()
@_file
@_prune
@click.option("--exit-code", is_flag=True, help="Exit with 10 where there is something to change.")
@json_option
@with_session
def plan(session: Session, file: str, *, prune: bool, exit_code: bool, as_json: bool) -> int:
    """Show what `apply` would do."""
    _, made, _ = _planned(session, file, prune=prune)
    if as_json:
        steps = [_as_json(step) for step in made.steps]
        session.output.json(
            {"steps": steps, "unchanged": made.unchanged, "left_alone": made.left_alone}
        )
    else:
        _show(session, made)
    return Exit.NO if exit_code and made.changes else Exit.OK


@click.command("apply")
@_file
@_prune
@yes_option
@json_option
@with_session
def apply_file(session: Session, file: str, *, prune: bool, yes: bool, as_json: bool) -> int:
    """Make everything as the file has it, after showing what that changes.

    What the file does not name stays, but for --prune. A step that fails is told with its line,
    and the others go on; apply again does what is left.
    """
    manifest, made, names = _planned(session, file, prune=prune)
    if not as_json:
        _show(session, made)
    if made.changes:
        session.confirm(f"apply {_counted(made)}", yes=yes)
    done = []
    for one in apply_plan(session.api, manifest, made, names):
        done.append(one)
        if not as_json:
            _tell(session, one)
    if as_json:
        session.output.json({"steps": [_done_json(one) for one in done]})
    return _summed_up(session, done, as_json=as_json)


def _planned(session: Session, file: str, *, prune: bool) -> tuple[Manifest, Plan, Names]:
    manifest = load(*read_file(file, session.input), session.env)
    found, names = state.read(session.api)
    return manifest, make_plan(manifest, found, names, prune=prune), names


def _show(session: Session, made: Plan) -> None:
    for step in made.steps:
        style = _STYLES.get(step.action, "dim")
        session.output.line(f"{_SIGNS[step.action]} {step.section.word} {step.name}", style)
        for one in step.differences:
            session.output.line(f"    {_difference(one)}")
    if made.left_alone:
        told = listed(made.left_alone)
        session.output.line(f"Not in the file, left alone (--prune deletes): {told}")
    session.output.line(f"Plan: {_counted(made)}, {made.unchanged} unchanged.")


def _counted(made: Plan) -> str:
    counts = dict.fromkeys(Action, 0)
    for step in made.steps:
        counts[step.action] += 1
    told = [f"{counts[action]} to {action}" for action in (Action.CREATE, Action.CHANGE)]
    told.append(f"{counts[Action.DELETE]} to delete")
    if counts[Action.SEND]:
        told.append(f"{counts[Action.SEND]} with secrets to send again")
    return ", ".join(told)


def _difference(one: Difference) -> str:
    if not one.certain:
        return f"{one.field}: sent again, as a stored secret cannot be compared"
    return f"{one.field}: {_short(one.before)} -> {_short(one.after)}"


def _short(value: Any) -> str:
    text = "-" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _tell(session: Session, done: Done) -> None:
    what = f"{done.step.section.word} {done.step.name}"
    if done.failure is not None:
        session.output.note(f"error: {what}: {done.failure}")
    elif done.outcome == "left":
        session.output.note(f"not tried: {what}")
    else:
        session.output.line(f"{done.outcome} {what}")


def _summed_up(session: Session, done: Iterable[Done], *, as_json: bool) -> int:
    """The last line and the exit code."""
    outcomes = [one.outcome for one in done]
    failed, left = outcomes.count("failed"), outcomes.count("left")
    fine = len(outcomes) - failed - left
    if not failed:
        return Exit.OK
    if not as_json:
        session.output.note(
            f"error: {fine} done, {failed} failed, {left} not tried; apply again for the rest"
        )
    return Exit.PARTLY


def _as_json(step: Step) -> dict[str, Any]:
    return {
        "action": step.action.value,
        "section": step.section.name,
        "name": step.name,
        "id": step.present.id if step.present else None,
        "differences": [
            {"field": one.field, "before": one.before, "after": one.after, "certain": one.certain}
            for one in step.differences
        ],
    }


def _done_json(done: Done) -> dict[str, Any]:
    return {
        **_as_json(done.step),
        "id": done.id or (done.step.present.id if done.step.present else None),
        "outcome": done.outcome,
        "error": str(done.failure) if done.failure else None,
    }
