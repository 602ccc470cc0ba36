"""The API Gateway: its own errors are problem+json and do not repeat the request."""

import json
from typing import Any

import pytest

from chalicelib.api.problems import BY_ERROR, GATEWAYS, INTERNAL, PREFIX

TYPES = {PREFIX + kind.slug for kind in (*BY_ERROR.values(), INTERNAL, *GATEWAYS)}
Resources = dict[str, dict[str, Any]]


@pytest.fixture
def api(resources: Resources) -> dict[str, Any]:
    properties: dict[str, Any] = resources["RestAPI"]["Properties"]
    return properties


def test_it_is_regional_and_has_no_binary_media_types(api: dict[str, Any]) -> None:
    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"}
    assert api["OpenApiVersion"] == "2.0"
    assert api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == []


def test_gateway_errors_are_problems_without_the_request_in_them(api: dict[str, Any]) -> None:
    for kind, response in api["GatewayResponses"].items():
        headers = response["ResponseParameters"]["Headers"]
        body = response["ResponseTemplates"]["application/json"]
        problem = json.loads(body)
        assert problem["type"] in TYPES, kind
        assert problem["errors"] == [], kind
        assert problem["request_id"] == "$context.requestId", kind
        assert headers["Content-Type"] == "'application/problem+json'", kind
        assert problem["title"], kind
        assert problem.get("status") == response.get("StatusCode"), kind
        # Other $context variables would repeat the request, including the token.
        assert body.count("$") == 1, kind


def test_an_unknown_path_is_not_found_rather_than_forbidden(api: dict[str, Any]) -> None:
    for kind in ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "RESOURCE_NOT_FOUND"):
        assert api["GatewayResponses"][kind]["StatusCode"] == 404


def test_the_paths_of_the_api_exist(api: dict[str, Any]) -> None:
    paths = api["DefinitionBody"]["paths"]

    assert {"/v1/me", "/v1/targets", "/v1/targets/{target_id}", "/healthz"} <= set(paths)
