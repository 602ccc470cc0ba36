"""Releases a version of a stage to its home region and its further ones, and rolls back failures.

The home region stores all data and sends the checks. So a further region gets its queue and worker
before the home region sends checks there, and loses them after it has stopped to.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ops.console import Failure, say
from ops.deployment import artifacts, cloudformation, deploy, regions
from ops.deployment.cloudformation import Deployed
from ops.packaging.package import Package
from ops.stages import Stage

OF_FURTHER_REGIONS = ("CheckRegions", "CheckQuorum")
"""The parameters with which the home region sends checks to further regions."""


def release(
    stage: Stage, package: Package, verify: Callable[[], None], replaceable: Collection[str] = ()
) -> dict[str, str]:
    """Deploy to all regions and call `verify`; roll back if either fails. Returns the outputs.

    Resources of the home region that hold data are removed or replaced only if `replaceable` names
    them.

    Raises:
        Failure: a stack could not be changed, or `verify` failed. Then the previous version of
            every stack is deployed again; stacks that did not exist before are deleted.
    """
    values = deploy.parameters(stage, package.template)
    if warning := deploy.alarm_warning(stage, values):
        say(warning)
    cloudformation.make_ready(stage)
    dropped = set(regions.of(stage)) - set(regions.listed(values))
    stacks = [stage, *(replace(stage, region=region) for region in regions.listed(values))]
    previous = {stack: cloudformation.deployed(stack) for stack in stacks}
    try:
        outputs = put(stage, package, values, replaceable)
        verify()
    except Exception as error:
        say("  the new version fails: rolling back")
        raise Failure("\n".join([str(error) or repr(error), *_roll_back(previous)])) from error
    regions.remove(stage, sorted(dropped))
    artifacts.prune(stage, artifacts.ensure_bucket(stage))
    return outputs


def put(
    stage: Stage,
    package: Package,
    values: Mapping[str, str],
    replaceable: Collection[str] | None = None,
) -> dict[str, str]:
    """Deploy to the home region and the further ones of `values`; returns the home's outputs.

    Raises:
        Failure: a stack could not be changed; those before it already have the new version.
    """
    further = regions.listed(values)
    new = [one for one in further if cloudformation.deployed(replace(stage, region=one)) is None]
    if new and cloudformation.deployed(stage) is None:
        alone = {name: text for name, text in values.items() if name not in OF_FURTHER_REGIONS}
        deploy.put(stage, package, alone)
    regions.put(stage, package, values, new)
    outputs = deploy.put(stage, package, values, replaceable)
    regions.put(stage, package, values, [region for region in further if region not in new])
    return outputs


def apply(stage: Stage, package: Package, values: Mapping[str, str]) -> dict[str, str]:
    """Deploy as `put` does, without verifying, and remove the regions that `values` lack."""
    dropped = set(regions.of(stage)) - set(regions.listed(values))
    outputs = put(stage, package, values)
    regions.remove(stage, sorted(dropped))
    return outputs


def _roll_back(previous: Mapping[Stage, Deployed | None]) -> list[str]:
    """Restore the stacks, the home region's first; says what was done, and what failed."""
    done = []
    for stage, version in previous.items():
        if version is None and cloudformation.find(stage) is None:
            continue
        try:
            done.append(deploy.restore(stage, version))
        except Failure as error:
            done.append(f"{stage.stack_name} could not be rolled back: {error}")
    return done
