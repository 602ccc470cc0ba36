"""Applies the parts of the template that emulators ignore; AWS needs none of this."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.common.settings import API_STAGE
from ops.stages import Stage, responds

SENDER = "monitum@local.example"
"""The sender of email on emulators, as in the template."""


def prepare(stage: Stage, outputs: Mapping[str, str]) -> None:
    """Delete the API's stage before an update on LocalStack.

    LocalStack creates the changed stage before it deletes the old one, whose name is the same.
    """
    if not _is_localstack(stage) or "RestAPIId" not in outputs:
        return
    client = stage.client("apigateway")
    with suppress(client.exceptions.NotFoundException):
        client.delete_stage(restApiId=outputs["RestAPIId"], stageName=API_STAGE)


def complete(stage: Stage, template: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
    """Enable expiry, dead letters, routes and gateway responses after a deployment."""
    if not stage.endpoint_url or "RestAPI" not in template["Resources"]:
        return
    _enable_expiry(stage, template)
    _set_dead_letter_queues(stage, template)
    _verify_sender(stage)
    if _is_localstack(stage):
        _update_routes(stage, template, outputs)
    _set_gateway_responses(stage, template, outputs["RestAPIId"])


def _is_localstack(stage: Stage) -> bool:
    """Whether it is LocalStack. ministack imitates it, so check for ministack's own path."""
    return bool(stage.endpoint_url) and not responds(f"{stage.endpoint_url}/_ministack/ready")


def _update_routes(stage: Stage, template: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
    """Import the API's routes: LocalStack's update of the stack does not change them."""
    body = json.dumps(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"])
    parts = outputs["APIHandlerArn"].split(":")
    for name, value in {
        "AWS::Partition": parts[1],
        "AWS::Region": parts[3],
        "AWS::AccountId": parts[4],
        "APIHandler.Arn": outputs["APIHandlerArn"],
    }.items():
        body = body.replace(f"${{{name}}}", value)
    resolved = json.loads(body, object_hook=lambda value: value.get("Fn::Sub", value))
    stage.client("apigateway").put_rest_api(
        restApiId=outputs["RestAPIId"], mode="overwrite", body=json.dumps(resolved).encode()
    )


def _verify_sender(stage: Stage) -> None:
    """Verify the sender if the emulator has SES. On AWS the operator does so."""
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


def _set_dead_letter_queues(stage: Stage, template: Mapping[str, Any]) -> None:
    """Configure the functions' dead-letter queues, for events that fail on every attempt."""
    client, resources = stage.client("lambda"), template["Resources"]
    for resource in resources.values():
        setting = resource.get("Properties", {}).get("DeadLetterQueue")
        if setting is None:
            continue
        logical_name = setting["TargetArn"]["Fn::GetAtt"][0]
        queue = resources[logical_name]["Properties"]["QueueName"]["Fn::Sub"]
        function = resource["Properties"]["FunctionName"]["Fn::Sub"]
        name = function.replace("${AWS::StackName}", stage.stack_name)
        current = client.get_function_configuration(FunctionName=name)
        if not current.get("DeadLetterConfig"):
            account = ":".join(current["FunctionArn"].split(":")[3:5])
            arn = f"arn:aws:sqs:{account}:{queue.replace('${AWS::StackName}', stage.stack_name)}"
            client.update_function_configuration(
                FunctionName=name, DeadLetterConfig={"TargetArn": arn}
            )


def _set_gateway_responses(stage: Stage, template: Mapping[str, Any], api_id: str) -> None:
    """Set the gateway's own responses to problem+json again: an import may have reset them."""
    client = stage.client("apigateway")
    gateway_responses = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    for kind, response in gateway_responses.items():
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
