"""The stacks of further regions: queue and worker of the stage's own template, and nothing else.

They keep nothing. Their worker writes into the tables at home.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ops import artifacts, cloudformation, deploy
from ops.cloudformation import Template
from ops.console import say
from ops.package import Package
from ops.stages import Stage

PARTS = ("ChecksQueue", "ChecksDeadQueue", "CheckLogs", "CheckRole", "Check", "TracesPolicy")
VARIABLES = (
    "STAGE", "TABLE_PREFIX", "CHECKS_QUEUE_URL", "CANARIES", "PUBLIC_URL", "FORBIDDEN_PORTS",
    "CHECK_REGIONS", "CHECK_QUORUM",
)  # fmt: skip
SHARED = (
    "Stage", "Canaries", "PublicUrl", "ForbiddenPorts", "CheckRegions", "CheckQuorum",
    "WithTracing",
)  # fmt: skip
_PARAMETER = "CheckRegions"
# What a worker reaches at home, not beside it.
_AT_HOME = (":dynamodb:", ":lambda:")


@dataclass(frozen=True, slots=True)
class Home:
    """The stack where everything is kept: its name, its region, its API, and where alerts go."""

    stack_name: str
    region: str
    api_id: str
    alerts_queue_url: str

    @property
    def alerts_queue(self) -> dict[str, str]:
        """The resource in a policy: the queues of a stage are in one account."""
        name = f"${{AWS::AccountId}}:{self.stack_name}-alerts"
        return {"Fn::Sub": f"arn:${{AWS::Partition}}:sqs:{self.region}:{name}"}


@dataclass(frozen=True)
class RegionalPackage(Package):
    """A package of which one further region gets its part."""

    home: Home

    @property
    def template(self) -> Template:
        return regional(super().template, self.home)


def regional(template: Template, home: Home) -> Template:
    """The part of a stage's template that a further region gets; names are as at home."""
    text = json.dumps(template).replace("${AWS::StackName}", home.stack_name)
    found: Template = json.loads(text)
    environment = found["Globals"]["Function"]["Environment"]
    environment["Variables"] = {
        **{name: environment["Variables"][name] for name in VARIABLES},
        "HOME_REGION": home.region,
        "ALERTS_QUEUE_URL": home.alerts_queue_url,
    }
    parts = {name: found["Resources"][name] for name in PARTS}
    parts["TracesPolicy"]["Properties"]["Roles"] = [{"Ref": "CheckRole"}]
    parts["Check"]["Properties"]["Environment"]["Variables"]["API_ID"] = home.api_id
    for policy in parts["CheckRole"]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            statement["Resource"] = _reached(statement["Resource"], home)
    return {
        **{name: found[name] for name in ("AWSTemplateFormatVersion", "Transform")},
        "Description": "Monitum: the checks of a further region",
        "Parameters": {name: found["Parameters"][name] for name in SHARED},
        "Conditions": {"IsTraced": found["Conditions"]["IsTraced"]},
        "Globals": found["Globals"],
        "Resources": parts,
    }


def _reached(resource: Any, home: Home) -> Any:
    """A policy's resource, with what is at home named there."""
    if isinstance(resource, list):
        return [_reached(one, home) for one in resource]
    if resource == {"Fn::GetAtt": ["AlertsQueue", "Arn"]}:
        return home.alerts_queue
    text = json.dumps(resource)
    if any(service in text for service in _AT_HOME):
        text = text.replace("${AWS::Region}", home.region)
    found: Any = json.loads(text)
    return found


def follow(stage: Stage, package: Package, before: Sequence[str]) -> None:
    """Have the further regions be those that the home stack names; `before` are those it named.

    Raises:
        Failure: one of them could not be changed; home runs the new code already.
    """
    given = cloudformation.parameters(cloudformation.find(stage))
    outputs = cloudformation.outputs(stage)
    home = Home(
        stage.stack_name,
        str(stage.session().region_name),
        outputs["RestAPIId"],
        outputs["AlertsQueueURL"],
    )
    part = RegionalPackage(package.directory, home)
    shared = {name: given[name] for name in SHARED if name in given}
    for region in listed(given):
        say(f"  {region}: checks from there, too")
        deploy.put(replace(stage, region=region), part, shared)
    leave(stage, [region for region in before if region not in listed(given)])


def leave(stage: Stage, regions: Sequence[str]) -> None:
    """Delete the stacks of further regions; harmless where there is none. Raises Failure."""
    for region in regions:
        there = replace(stage, region=region)
        if cloudformation.find(there):
            say(f"  {region}: no checks from there any more")
            cloudformation.delete(there)
            artifacts.remove_bucket(there)


def of(stage: Stage) -> list[str]:
    """The further regions of the deployed stage; empty where nothing is deployed."""
    return listed(cloudformation.parameters(cloudformation.find(stage)))


def listed(given: dict[str, str]) -> list[str]:
    """The regions that a stack's parameters name."""
    return [region.strip() for region in given.get(_PARAMETER, "").split(",") if region.strip()]
