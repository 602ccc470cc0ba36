"""The template is valid for CloudFormation, according to SAM's transform and cfn-lint."""

import copy
import json
from typing import Any

import pytest
from cfnlint.api import lint_all
from samtranslator.translator.transform import transform

from ops.console import Failure
from ops.packaging import package

Template = dict[str, Any]


class NoManagedPolicies:
    """The transform loads AWS's managed policies, but the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def test_sam_transforms_it(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    stage = template["Parameters"]["Stage"]["Default"]
    uploaded = with_uploaded_code(template)

    plain = transform(uploaded, {"Stage": stage}, NoManagedPolicies())

    kinds = [resource["Type"] for resource in plain["Resources"].values()]
    assert not [kind for kind in kinds if kind.startswith("AWS::Serverless::")]
    # OpenApiVersion keeps SAM from adding a second stage named "Stage".
    assert kinds.count("AWS::ApiGateway::Stage") == 1
    assert kinds.count("AWS::Lambda::EventSourceMapping") == 2


# The templates of other stages differ from these only in defaults of parameters.
@pytest.mark.parametrize("template", ["local", "prod"], indirect=True)
def test_cfn_lint_finds_nothing(template: Template) -> None:
    findings = lint_all(json.dumps(with_uploaded_code(template)))

    # The findings of rules whose id starts with I are informational.
    messages = [f"{finding.rule.id} {finding.message}" for finding in findings]
    assert [text for text in messages if not text.startswith("I")] == []


def test_chalice_validates_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_config: object) -> None:
        raise ValueError("a trailing slash")

    monkeypatch.setattr("chalice.deploy.validate.validate_configuration", refuse)

    with pytest.raises(Failure, match="a trailing slash"):
        package.template("prod")


def with_uploaded_code(template: Template) -> Template:
    """The template of a deployment, with the code in a bucket."""
    uploaded = copy.deepcopy(template)
    for resource in uploaded["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "package.zip"}
    return uploaded
