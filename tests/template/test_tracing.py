"""Tracing is off by default; when on, every function and the API are traced."""

from typing import Any

from ops.deployment.regions import regional
from tests.template.test_regions import HOME

Template = dict[str, Any]


def by_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == f"AWS::{kind}"
    }


def assert_is_traced(template: Template) -> None:
    functions = by_type(template, "Serverless::Function").values()
    setting = {"Fn::If": ["IsTraced", "Active", "PassThrough"]}
    assert [function["Tracing"] for function in functions] == [setting] * len(functions)
    (policy,) = by_type(template, "IAM::Policy").values()
    assert {role["Ref"] for role in policy["Roles"]} == set(by_type(template, "IAM::Role"))
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert {action.partition(":")[0] for action in statement["Action"]} == {"xray"}


def test_it_is_off_by_default(template: Template) -> None:
    assert template["Parameters"]["WithTracing"]["Default"] == "no"
    assert template["Conditions"]["IsTraced"] == {"Fn::Equals": [{"Ref": "WithTracing"}, "yes"]}
    assert template["Resources"]["TracesPolicy"]["Condition"] == "IsTraced"


def test_every_function_is_traced_and_may_write_its_traces(template: Template) -> None:
    assert_is_traced(template)
    assert_is_traced(regional(template, HOME))


def test_the_api_is_traced(template: Template) -> None:
    (api,) = by_type(template, "Serverless::Api").values()
    assert api["TracingEnabled"] == {"Fn::If": ["IsTraced", True, False]}
