"""Completes on an emulator what it leaves out of the template; AWS needs none of it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.ops.stages import API_STAGE, Stage, answers


def can_update(stage: Stage) -> bool:
    """False for LocalStack: a changed route ends there in "Stage already exists" and a wreck."""
    return not stage.endpoint_url or answers(f"{stage.endpoint_url}/_ministack/health")


SENDER = "monitum@local.example"
"""Who mails on the emulators, as the template says."""


def complete(stage: Stage, template: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
    """Switch expiry and gateway responses on where the deployment did not."""
    if not stage.endpoint_url:
        return
    _enable_expiry(stage, template)
    _verify_sender(stage)
    _shape_gateway_errors(stage, template, outputs["RestAPIId"])


def _verify_sender(stage: Stage) -> None:
    """Let mails go out where the emulator has SES: on AWS the sender's owner does so."""
    with suppress(ClientError):
        stage.client("sesv2").create_email_identity(EmailIdentity=SENDER)


def _enable_expiry(stage: Stage, template: Mapping[str, Any]) -> None:
    client = stage.client("dynamodb")
    for resource in template["Resources"].values():
        expiry = resource.get("Properties", {}).get("TimeToLiveSpecification")
        if resource["Type"] != "AWS::DynamoDB::Table" or expiry is None:
            continue
        name = resource["Properties"]["TableName"]["Fn::Sub"]
        table = name.replace("${AWS::StackName}", stage.stack_name)
        state = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if state["TimeToLiveStatus"] == "DISABLED":
            client.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)


def _shape_gateway_errors(stage: Stage, template: Mapping[str, Any], api_id: str) -> None:
    """Make the answers for unknown paths problem+json, which an import may have dropped."""
    client = stage.client("apigateway")
    wanted = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    for kind, response in wanted.items():
        headers = response["ResponseParameters"]["Headers"]
        arguments = {
            "responseParameters": {
                f"gatewayresponse.header.{name}": value for name, value in headers.items()
            },
            "responseTemplates": response["ResponseTemplates"],
        }
        if "StatusCode" in response:
            arguments["statusCode"] = str(response["StatusCode"])
        client.put_gateway_response(restApiId=api_id, responseType=kind, **arguments)
    client.create_deployment(restApiId=api_id, stageName=API_STAGE)
