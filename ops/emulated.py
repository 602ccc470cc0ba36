"""Completes on an emulator what it leaves out of the template; AWS needs none of it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from ops.stages import API_STAGE, Stage, answers

SENDER = "monitum@local.example"
"""Who mails on the emulators, as the template says."""


def prepare(stage: Stage, outputs: Mapping[str, str]) -> None:
    """Take the API's stage away before an update, where the emulator would trip over it.

    LocalStack makes a changed stage anew before it deletes the old one, of the same name.
    """
    if not _is_localstack(stage) or "RestAPIId" not in outputs:
        return
    client = stage.client("apigateway")
    with suppress(client.exceptions.NotFoundException):
        client.delete_stage(restApiId=outputs["RestAPIId"], stageName=API_STAGE)


def complete(stage: Stage, template: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
    """Switch expiry, dead letters, routes and gateway responses on where the deployment did not."""
    if not stage.endpoint_url or "RestAPI" not in template["Resources"]:
        return
    _enable_expiry(stage, template)
    _keep_failed_events(stage, template)
    _verify_sender(stage)
    if _is_localstack(stage):
        _renew_routes(stage, template, outputs)
    _shape_gateway_errors(stage, template, outputs["RestAPIId"])


def _is_localstack(stage: Stage) -> bool:
    """ministack answers for LocalStack too, and needs none of this."""
    return bool(stage.endpoint_url) and not answers(f"{stage.endpoint_url}/_ministack/health")


def _renew_routes(stage: Stage, template: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
    """Give the API its routes again: an update of the stack leaves them as they were."""
    body = json.dumps(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"])
    parts = outputs["APIHandlerArn"].split(":")
    for name, value in {
        "AWS::Partition": parts[1],
        "AWS::Region": parts[3],
        "AWS::AccountId": parts[4],
        "APIHandler.Arn": outputs["APIHandlerArn"],
    }.items():
        body = body.replace(f"${{{name}}}", value)
    plain = json.loads(body, object_hook=lambda found: found.get("Fn::Sub", found))
    stage.client("apigateway").put_rest_api(
        restApiId=outputs["RestAPIId"], mode="overwrite", body=json.dumps(plain).encode()
    )


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


def _keep_failed_events(stage: Stage, template: Mapping[str, Any]) -> None:
    """Have events that failed at every try end in the queue that the template names for them."""
    client, resources = stage.client("lambda"), template["Resources"]
    for resource in resources.values():
        dead = resource.get("Properties", {}).get("DeadLetterQueue")
        if dead is None:
            continue
        queue = resources[dead["TargetArn"]["Fn::GetAtt"][0]]["Properties"]["QueueName"]["Fn::Sub"]
        function = resource["Properties"]["FunctionName"]["Fn::Sub"]
        name = function.replace("${AWS::StackName}", stage.stack_name)
        known = client.get_function_configuration(FunctionName=name)
        if not known.get("DeadLetterConfig"):
            account = ":".join(known["FunctionArn"].split(":")[3:5])
            arn = f"arn:aws:sqs:{account}:{queue.replace('${AWS::StackName}', stage.stack_name)}"
            client.update_function_configuration(
                FunctionName=name, DeadLetterConfig={"TargetArn": arn}
            )


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
