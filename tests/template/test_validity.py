"""The template is one that CloudFormation takes: SAM's transform and cfn-lint agree with it."""

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
    """The transform asks for AWS's managed policies, of which the template names none."""

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


# Stages differ in parameters' defaults; between emulators and AWS there is more.
@pytest.mark.parametrize("template", ["local", "prod"], indirect=True)
def test_cfn_lint_finds_nothing(template: Template) -> None:
    findings = lint_all(json.dumps(with_uploaded_code(template)))

    # Rules that begin with I are advice.
    told = [f"{finding.rule.id} {finding.message}" for finding in findings]
    assert [text for text in told if not text.startswith("I")] == []


def test_chalice_s_own_validation_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_config: object) -> None:
        raise ValueError("a trailing slash")

    monkeypatch.setattr("chalice.deploy.validate.validate_configuration", refuse)

    with pytest.raises(Failure, match="a trailing slash"):
        package.template("prod")


def with_uploaded_code(template: Template) -> Template:
    """The template as it is deployed: the code is in a bucket."""
    uploaded = copy.deepcopy(template)
    for resource in uploaded["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "package.zip"}
    return uploaded
