"""Deploys a package through CloudFormation: the same calls for AWS and for the emulators."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.common.settings import Settings, SettingsError
from ops import artifacts, cloudformation, emulated
from ops.cloudformation import DEAD_STATES, ChangeSet, Deployed
from ops.console import Failure, say, step
from ops.package import Package
from ops.stages import Stage

GIVEN = {
    "MailFrom": "MAIL_FROM",
    "PublicUrl": "PUBLIC_URL",
    "Canaries": "CANARIES",
    "ForbiddenPorts": "FORBIDDEN_PORTS",
    "Metrics": "METRICS",
    "Alarms": "ALARMS",
    "AlarmEmail": "ALARM_EMAIL",
    "WithDashboard": "DASHBOARD",
    "WithTracing": "TRACING",
    "CheckRegions": "CHECK_REGIONS",
    "CheckQuorum": "CHECK_QUORUM",
}
"""Parameters of the template by the variable that sets them; one not set stays what it was."""


def release(stage: Stage, package: Package, prove: Callable[[], None]) -> dict[str, str]:
    """Deploy and have `prove` try it; what does not hold is taken back. Returns the outputs.

    Raises:
        Failure: the stack could not be changed, or `prove` failed and the stage runs what it ran
            before; a first deployment is deleted again.
    """
    before = cloudformation.deployed(stage)
    outputs = deploy(stage, package)
    try:
        prove()
    except Failure as error:
        raise Failure(f"{error}\n{_take_back(stage, before)}") from error
    artifacts.prune(stage, artifacts.make_bucket(stage))
    return outputs


def deploy(stage: Stage, package: Package) -> dict[str, str]:
    """Upload the package, show what changes and change it; returns the stack's outputs.

    Raises:
        Failure: the stack could not be made or updated, with the first reasons.
    """
    return put(stage, package, parameters(stage, package.template))


def put(stage: Stage, package: Package, given: Mapping[str, str]) -> dict[str, str]:
    """As `deploy`, with these parameters."""
    _clear_away(stage)
    bucket = artifacts.make_bucket(stage)
    template = artifacts.with_code(stage, package, bucket)
    _apply(stage, bucket, template, given)
    return cloudformation.outputs(stage)


def plan(stage: Stage, package: Package) -> list[cloudformation.Change]:
    """What deploying would change; nothing is."""
    given = parameters(stage, package.template)
    bucket = artifacts.make_bucket(stage)
    changes = _compare(stage, bucket, artifacts.with_code(stage, package, bucket), given)
    if changes is None:
        return []
    found = changes.changes()
    changes.discard()
    return found


def parameters(stage: Stage, template: Mapping[str, Any]) -> dict[str, str]:
    """The template's parameters: what the environment says, else what the stack has.

    Raises:
        Failure: a value makes no sense.
    """
    before = cloudformation.parameters(cloudformation.find(stage))
    said = {
        name: os.environ[variable] for name, variable in GIVEN.items() if variable in os.environ
    }
    env = {GIVEN[name]: value for name, value in said.items()}
    try:
        Settings.from_env(
            {
                "STAGE": stage.name,
                "TABLE_PREFIX": f"{stage.stack_name}-",
                **stage.environment(),
                **env,
            }
        )
    except SettingsError as error:
        raise Failure(str(error)) from error
    found = {**before, **said}
    return {name: found[name] for name in template.get("Parameters", {}) if name in found}


def function_environment(stage: Stage) -> dict[str, str]:
    """The environment variables of the deployed API function.

    Raises:
        Failure: the stage is not deployed.
    """
    client = stage.client("lambda")
    try:
        answer = client.get_function_configuration(FunctionName=f"{stage.stack_name}-api")
    except client.exceptions.ResourceNotFoundException as error:
        raise Failure(f"the stage {stage.name} is not deployed: make deploy first") from error
    return dict(answer["Environment"]["Variables"])


def _clear_away(stage: Stage) -> None:
    """Delete a stack that can only be deleted: its first deployment has failed."""
    stack = cloudformation.find(stage)
    if stack and stack["StackStatus"] in DEAD_STATES:
        say(f"  {stage.stack_name} was never deployed wholly: deleting what there is of it")
        cloudformation.delete(stage)


def _compare(
    stage: Stage, bucket: str, template: Mapping[str, Any], given: Mapping[str, str]
) -> ChangeSet | None:
    argument = artifacts.template_argument(stage, bucket, template)
    is_new = cloudformation.find(stage) is None
    with step("asking CloudFormation what changes"):
        return ChangeSet.make(stage, argument, given, is_new=is_new)


def _apply(
    stage: Stage, bucket: str, template: Mapping[str, Any], given: Mapping[str, str]
) -> None:
    changes = _compare(stage, bucket, template, given)
    if changes is None:
        say("  nothing changes")
        return
    _show(stage, changes.changes())
    with step(f"changing {stage.stack_name}"):
        emulated.prepare(stage, cloudformation.outputs(stage))
        changes.run()
        emulated.complete(stage, template, cloudformation.outputs(stage))


def _show(stage: Stage, changes: Sequence[cloudformation.Change]) -> None:
    """Each change by name; of the local stack, which anybody can make anew, only how many."""
    if stage.name == "local":
        say(f"  {len(changes)} changes")
        return
    for change in changes:
        say(str(change))


def _take_back(stage: Stage, before: Deployed | None) -> str:
    if before is None:
        cloudformation.delete(stage)
        return f"It was the first deployment: {stage.stack_name} is deleted again."
    say("  it does not hold: going back to what ran before")
    bucket = artifacts.make_bucket(stage)
    _apply(stage, bucket, before.template, before.parameters)
    return f"{stage.stack_name} runs what it ran before."
