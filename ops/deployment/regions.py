"""The stacks of additional regions: only the check queue and the worker of the stage's template.

They store no data: their workers write to the tables in the home region.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ops.console import say
from ops.deployment import artifacts, cloudformation, concurrency, deploy
from ops.deployment.cloudformation import Template
from ops.packaging.package import Package
from ops.stages import Stage

RESOURCES = ("ChecksQueue", "ChecksDeadQueue", "CheckLogs", "CheckRole", "Check", "TracesPolicy")
VARIABLES = (
    "STAGE", "TABLE_PREFIX", "CHECKS_QUEUE_URL", "CANARIES", "PUBLIC_URL", "FORBIDDEN_PORTS",
    "CHECK_REGIONS", "CHECK_QUORUM",
)  # fmt: skip
PARAMETERS = (
    "Stage", "Canaries", "PublicUrl", "ForbiddenPorts", "CheckRegions", "CheckQuorum",
    "WithTracing", "Concurrency",
)  # fmt: skip
# The services whose resources a worker uses in the home region.
_HOME_SERVICES = (":dynamodb:", ":lambda:")


@dataclass(frozen=True, slots=True)
class Home:
    """The stack in the home region, which stores all data."""

    stack_name: str
    region: str
    api_id: str
    alerts_queue_url: str

    @property
    def alerts_queue(self) -> dict[str, str]:
        """The alert queue as the resource of a policy; all regions of a stage share one account."""
        name = f"${{AWS::AccountId}}:{self.stack_name}-alerts"
        return {"Fn::Sub": f"arn:${{AWS::Partition}}:sqs:{self.region}:{name}"}


@dataclass(frozen=True)
class RegionalPackage(Package):
    """A package with the template of an additional region."""

    home: Home

    @property
    def template(self) -> Template:
        return regional(super().template, self.home)


def regional(template: Template, home: Home) -> Template:
    """The template of an additional region, with the resource names of the home stack."""
    text = json.dumps(template).replace("${AWS::StackName}", home.stack_name)
    full: Template = json.loads(text)
    environment = full["Globals"]["Function"]["Environment"]
    environment["Variables"] = {
        **{name: environment["Variables"][name] for name in VARIABLES},
        "HOME_REGION": home.region,
        "ALERTS_QUEUE_URL": home.alerts_queue_url,
    }
    resources = {name: full["Resources"][name] for name in RESOURCES}
    resources["TracesPolicy"]["Properties"]["Roles"] = [{"Ref": "CheckRole"}]
    resources["Check"]["Properties"]["Environment"]["Variables"]["API_ID"] = home.api_id
    for policy in resources["CheckRole"]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            statement["Resource"] = _in_home_region(statement["Resource"], home)
    return {
        **{name: full[name] for name in ("AWSTemplateFormatVersion", "Transform")},
        "Description": "Monitum: the checks of an additional region",
        "Parameters": {name: full["Parameters"][name] for name in PARAMETERS},
        "Mappings": full["Mappings"],
        "Conditions": {"IsTraced": full["Conditions"]["IsTraced"]},
        "Globals": full["Globals"],
        "Resources": resources,
    }


def _in_home_region(resource: Any, home: Home) -> Any:
    """A policy's resource, with the home region where the worker uses it there."""
    if isinstance(resource, list):
        return [_in_home_region(one, home) for one in resource]
    if resource == {"Fn::GetAtt": ["AlertsQueue", "Arn"]}:
        return home.alerts_queue
    text = json.dumps(resource)
    if any(service in text for service in _HOME_SERVICES):
        text = text.replace("${AWS::Region}", home.region)
    found: Any = json.loads(text)
    return found


def put(stage: Stage, package: Package, values: Mapping[str, str], further: Sequence[str]) -> None:
    """Deploy the worker to these additional regions, with the parameters of the home stack.

    Raises:
        Failure: one of them could not be changed.
    """
    if not further:
        return
    outputs = cloudformation.outputs(stage)
    home = Home(
        stage.stack_name,
        str(stage.session().region_name),
        outputs["RestAPIId"],
        outputs["AlertsQueueURL"],
    )
    regional_package = RegionalPackage(package.directory, home)
    shared = {name: values[name] for name in PARAMETERS if name in values}
    for region in further:
        say(f"  {region}: deploying the worker")
        regional_stage = replace(stage, region=region)
        if not stage.endpoint_url:
            shared["Concurrency"] = concurrency.level(regional_stage)
        deploy.put(regional_stage, regional_package, shared)


def remove(stage: Stage, regions: Sequence[str]) -> None:
    """Delete the stacks of additional regions that exist; raises Failure."""
    for region in regions:
        regional_stage = replace(stage, region=region)
        if cloudformation.find(regional_stage):
            say(f"  {region}: deleting the worker")
            cloudformation.delete(regional_stage)
            artifacts.remove_bucket(regional_stage)


def of(stage: Stage) -> list[str]:
    """The additional regions of the deployed stage; empty if it is not deployed."""
    return listed(cloudformation.parameters(cloudformation.find(stage)))


def listed(values: Mapping[str, str]) -> list[str]:
    """The additional regions in the parameters of a stack."""
    regions = values.get("CheckRegions", "").split(",")
    return [region.strip() for region in regions if region.strip()]
