"""The templates of all stages, generated once."""

from typing import Any

import pytest

from chalicelib.common.settings import STAGES
from ops.packaging import package

Template = dict[str, Any]


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    return {stage: package.template(stage) for stage in STAGES}


@pytest.fixture(params=STAGES)
def template(request: pytest.FixtureRequest, templates: dict[str, Template]) -> Template:
    return templates[request.param]


@pytest.fixture
def resources(template: Template) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = template["Resources"]
    return found


@pytest.fixture
def functions(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
