"""Deploys a package through CloudFormation, with the same calls for AWS and for the emulators."""

import os
from collections.abc import Collection, Mapping
from typing import Any

from chalicelib.common.settings import STAGES, Settings, SettingsError
from chalicelib.runtime import Runtime
from ops.console import Failure, say, step
from ops.deployment import artifacts, cloudformation, concurrency, emulator_gaps
from ops.deployment.cloudformation import DEAD_STATES, ChangeSet, Deployed
from ops.packaging.package import Package
from ops.stages import Stage

PARAMETERS = {
    "MailFrom": "MAIL_FROM", "PublicUrl": "PUBLIC_URL", "Canaries": "CANARIES",
    "ForbiddenPorts": "FORBIDDEN_PORTS", "Metrics": "METRICS", "Alarms": "ALARMS",
    "AlarmEmail": "ALARM_EMAIL", "WithDashboard": "DASHBOARD", "WithTracing": "TRACING",
    "CheckRegions": "CHECK_REGIONS", "CheckQuorum": "CHECK_QUORUM",
}  # fmt: skip
"""The template's parameters and the variables that set them. Unset ones keep their value."""


def put(
    stage: Stage,
    package: Package,
    values: Mapping[str, str],
    replaceable: Collection[str] | None = None,
) -> dict[str, str]:
    """Upload the package, show the changes and execute them; returns the stack's outputs.

    Only resources named in `replaceable` (None: all) may be removed or replaced if they hold data.

    Raises:
        Failure: the stack could not be created or updated, with the first reasons.
    """
    cloudformation.make_ready(stage)
    bucket = artifacts.ensure_bucket(stage)
    _apply(stage, bucket, artifacts.with_code(stage, package, bucket), values, replaceable)
    return cloudformation.outputs(stage)


def restore(stage: Stage, previous: Deployed | None) -> str:
    """Deploy the previous version again, or delete the stack if there is none; says what was done.

    Raises:
        Failure: the stack could not be changed.
    """
    status = cloudformation.wait_until_settled(stage)
    if previous is not None:
        cloudformation.make_ready(stage)
        _apply(stage, artifacts.ensure_bucket(stage), previous.template, previous.parameters)
        return f"{stage.stack_name} was rolled back to the previous version."
    if status in DEAD_STATES:
        # CloudFormation rolled back; its events tell why. The next deployment deletes the remains.
        return f"{stage.stack_name} was not created."
    cloudformation.delete(stage)
    return f"This was the first deployment of {stage.stack_name}, so it was deleted."


def plan(stage: Stage, package: Package) -> list[cloudformation.Change]:
    """The changes that a deployment would make, without making them."""
    values = parameters(stage, package.template)
    bucket = artifacts.ensure_bucket(stage)
    changes = _compare(stage, bucket, artifacts.with_code(stage, package, bucket), values)
    if changes is None:
        return []
    found = changes.changes()
    changes.discard()
    return found


def parameters(stage: Stage, template: Mapping[str, Any]) -> dict[str, str]:
    """The template's parameters from the environment or, if unset there, from the stack.

    The account determines `Concurrency`, because its limit may have been raised since.

    Raises:
        Failure: a value is invalid.
    """
    env = {name: os.environ[name] for name in PARAMETERS.values() if name in os.environ}
    required = {"STAGE": stage.name, "TABLE_PREFIX": f"{stage.stack_name}-"}
    try:
        Settings.from_env({**required, **stage.environment(), **env})
    except SettingsError as error:
        raise Failure(str(error)) from error
    values = cloudformation.parameters(cloudformation.find(stage))
    values |= {name: env[variable] for name, variable in PARAMETERS.items() if variable in env}
    known = template.get("Parameters", {})
    if "Concurrency" in known and not stage.endpoint_url:
        values["Concurrency"] = concurrency.level(stage)
    return {name: values[name] for name in known if name in values}


def alarm_warning(stage: Stage, values: Mapping[str, str]) -> str | None:
    """The text to show if the stage has alarms that nobody receives; `values` are parameters."""
    defaults = STAGES[stage.name]
    alarms = values.get("Alarms") or defaults.alarms
    if not defaults.on_aws or alarms == "none" or values.get("AlarmEmail"):
        return None
    command = f"make deploy STAGE={stage.name} ALARM_EMAIL=ops@example.com"
    return f"  warning: no ALARM_EMAIL is set, so nobody hears of alarms: {command}"


def enter_runtime(stage: Stage) -> Runtime:
    """Make this process act on the deployed stage, as its functions do.

    It takes over the environment of the deployed API function, so that the application's services
    use the same tables and queues.

    Raises:
        Failure: the stage is not deployed.
    """
    os.environ.update(function_environment(stage))
    os.environ.update(stage.environment())
    return Runtime.from_env(os.environ)


def function_environment(stage: Stage) -> dict[str, str]:
    """The environment variables of the deployed API function.

    Raises:
        Failure: the stage is not deployed.
    """
    client = stage.client("lambda")
    try:
        response = client.get_function_configuration(FunctionName=f"{stage.stack_name}-api")
    except client.exceptions.ResourceNotFoundException as error:
        raise Failure(f"the stage {stage.name} is not deployed: run make deploy first") from error
    return dict(response["Environment"]["Variables"])


def _compare(
    stage: Stage, bucket: str, template: Mapping[str, Any], values: Mapping[str, str]
) -> ChangeSet | None:
    argument = artifacts.template_argument(stage, bucket, template)
    is_new = cloudformation.find(stage) is None
    with step("comparing with the deployed stack"):
        return ChangeSet.create(stage, argument, values, is_new=is_new)


def _apply(
    stage: Stage,
    bucket: str,
    template: Mapping[str, Any],
    values: Mapping[str, str],
    replaceable: Collection[str] | None = None,
) -> None:
    changes = _compare(stage, bucket, template, values)
    if changes is None:
        say("  no changes")
        return
    found = changes.changes()
    lines = [str(change) for change in found]
    # The local stack is recreated often; a list of everything in it would be noise.
    say(f"  {len(lines)} changes" if stage.name == "local" else "\n".join(lines))
    lost = [change.name for change in found if change.loses_data]
    if replaceable is not None and (refused := sorted(set(lost) - set(replaceable))):
        changes.discard()
        raise Failure(
            f"{', '.join(refused)}: would be removed or replaced, and the data in it lost. Back it "
            f"up, then name it: make deploy STAGE={stage.name} REPLACE='{' '.join(refused)}'"
        )
    with step(f"changing {stage.stack_name}"):
        emulator_gaps.prepare(stage, cloudformation.outputs(stage))
        changes.execute()
        emulator_gaps.complete(stage, template, cloudformation.outputs(stage))
