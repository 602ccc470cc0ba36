"""Manifests: export, plan and apply an account's resources as one file."""

import json
from collections.abc import Sequence
from typing import Any

import click

from monitum_cli.commands.common import with_session, yes_option
from monitum_cli.errors import ExitCode
from monitum_cli.formatting import join, plural
from monitum_cli.manifest.apply import StepResult, apply_plan
from monitum_cli.manifest.diff import Difference
from monitum_cli.manifest.export import export_resources, to_yaml
from monitum_cli.manifest.load import load
from monitum_cli.manifest.plan import Action, Plan, Step, make_plan
from monitum_cli.manifest.schema import iter_masks
from monitum_cli.manifest.state import NameIndex, read_state
from monitum_cli.manifest.yaml_reader import read_file
from monitum_cli.session import Session

_file_argument = click.argument("file", metavar="FILE")
_prune_option = click.option(
    "--prune", is_flag=True, help="Delete resources that are missing from the file's sections."
)
_SIGNS = {Action.CREATE: "+", Action.CHANGE: "~", Action.SEND: "?", Action.DELETE: "-"}
_STYLES = {Action.CREATE: "green", Action.CHANGE: "yellow", Action.DELETE: "red"}
_MAX_VALUE = 60
"""The characters of a value in a plan."""


@click.command()
@with_session
def export(session: Session) -> None:
    """Print channels, targets, maintenance windows and status pages as a file for `apply`."""
    resources = export_resources(*read_state(session.api))
    if session.output.as_json:
        session.output.json(resources)
    else:
        session.output.raw(to_yaml(resources))
    masks = [
        mask for items in resources.values() for one in items.values() for mask in iter_masks(one)
    ]
    if masks:
        session.output.message(
            f"note: exported {plural(len(masks), 'secret')} as ***, which keeps the stored value;"
            " to apply the file to another account, use ${VARIABLE} instead"
        )


@click.command()
@_file_argument
@_prune_option
@click.option("--exit-code", is_flag=True, help="Exit with 10 if there are changes.")
@with_session
def plan(session: Session, file: str, *, prune: bool, exit_code: bool) -> int:
    """Show what `apply` would change."""
    planned, _ = _plan(session, file, prune=prune)
    if session.output.as_json:
        steps = [_step_json(step) for step in planned.steps]
        session.output.json(
            {"steps": steps, "unchanged": planned.unchanged, "left_alone": planned.kept}
        )
    else:
        _print_plan(session, planned)
    return ExitCode.NEGATIVE if exit_code and planned.has_changes else ExitCode.OK


@click.command()
@_file_argument
@_prune_option
@yes_option
@with_session
def apply(session: Session, file: str, *, prune: bool, yes: bool) -> int:
    """Create, change and delete resources to match a file, after showing the plan.

    Resources that are not in the file are kept unless --prune is given. If a step fails, its error
    is printed with the line in the file and the other steps continue; apply again to retry.
    """
    planned, names = _plan(session, file, prune=prune)
    if not session.output.as_json:
        _print_plan(session, planned)
    if planned.has_changes:
        session.confirm(f"apply {_counts(planned)}", yes=yes)
    results = []
    for result in apply_plan(session.api, planned, names):
        results.append(result)
        if not session.output.as_json:
            _print_result(session, result)
    if session.output.as_json:
        session.output.json({"steps": [_result_json(result) for result in results]})
    return _summarize(session, results)


def _plan(session: Session, file: str, *, prune: bool) -> tuple[Plan, NameIndex]:
    manifest = load(*read_file(file, session.input), session.env)
    state, names = read_state(session.api)
    return make_plan(manifest, state, names, prune=prune), names


def _print_plan(session: Session, planned: Plan) -> None:
    for step in planned.steps:
        style = _STYLES.get(step.action, "dim")
        session.output.line(f"{_SIGNS[step.action]} {_label(step)}", style)
        for difference in step.differences:
            session.output.line(f"    {_format_difference(difference)}")
    if planned.kept:
        kept = join(planned.kept)
        session.output.line(f"Not in the file, kept (use --prune to delete): {kept}")
    session.output.line(f"Plan: {_counts(planned)}, {planned.unchanged} unchanged.")


def _label(step: Step) -> str:
    return f"{step.section.noun} {step.name}"


def _counts(planned: Plan) -> str:
    actions = [step.action for step in planned.steps]
    counts = [
        f"{actions.count(action)} to {action}"
        for action in (Action.CREATE, Action.CHANGE, Action.DELETE)
    ]
    if Action.SEND in actions:
        counts.append(f"{actions.count(Action.SEND)} with secrets to resend")
    return ", ".join(counts)


def _format_difference(difference: Difference) -> str:
    if not difference.certain:
        return f"{difference.field}: resent, because the stored secret is unknown"
    before, after = _shorten(difference.before), _shorten(difference.after)
    return f"{difference.field}: {before} -> {after}"


def _shorten(value: Any) -> str:
    text = "-" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _print_result(session: Session, result: StepResult) -> None:
    label = _label(result.step)
    if result.error is not None:
        session.output.message(f"error: {label}: {result.error}")
    elif result.outcome == "left":
        session.output.message(f"skipped: {label}")
    else:
        session.output.line(f"{result.outcome} {label}")


def _summarize(session: Session, results: Sequence[StepResult]) -> int:
    """Print a summary if a step failed; return the exit code."""
    outcomes = [result.outcome for result in results]
    failed, skipped = outcomes.count("failed"), outcomes.count("left")
    if not failed:
        return ExitCode.OK
    if not session.output.as_json:
        succeeded = len(outcomes) - failed - skipped
        counts = f"{succeeded} succeeded, {failed} failed, {skipped} skipped"
        session.output.message(f"error: {counts}; apply again to retry")
    return ExitCode.PARTIAL


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "action": step.action.value,
        "section": step.section.name,
        "name": step.name,
        "id": step.current.id if step.current else None,
        "differences": [
            {"field": one.field, "before": one.before, "after": one.after, "certain": one.certain}
            for one in step.differences
        ],
    }


def _result_json(result: StepResult) -> dict[str, Any]:
    step = _step_json(result.step)
    return {
        **step,
        "id": result.id or step["id"],
        "outcome": result.outcome,
        "error": str(result.error) if result.error else None,
    }
