"""The OpenAPI document is valid, up to date and served by the API."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from chalicelib.api import route_index
from chalicelib.api.parsing import validate_body
from chalicelib.api.routing import Route
from chalicelib.routes import ALL
from ops.openapi import document as openapi
from ops.openapi.texts import EXAMPLES, LINKS
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

ROUTES = pytest.mark.parametrize("route", ALL, ids=lambda route: route.name)


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi.FILE.read_text(encoding="utf-8"))
    return found


def test_committed_document_is_up_to_date() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.text(), "run: make openapi"


def test_route_index_is_up_to_date() -> None:
    assert route_index.FILE.read_text(encoding="utf-8") == route_index.text(ALL), (
        "run: make openapi"
    )
    found = {one.name: one.load() for one in route_index.operations()}
    assert found == {route.name: route for route in ALL}


def test_document_is_valid(committed: dict[str, Any]) -> None:
    assert committed["openapi"].startswith("3.1.")
    validate(committed)


def test_api_serves_the_document(world: World, committed: dict[str, Any]) -> None:
    reply = Person(world, "", "").get("/v1/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == committed


@ROUTES
def test_every_operation_is_documented(route: Route, committed: dict[str, Any]) -> None:
    operation = committed["paths"][route.path][route.method.lower()]
    assert operation["operationId"] == route.name
    assert operation["summary"].endswith((".", ";")) or operation["summary"]
    assert operation["tags"] == [route.tag]
    assert route.tag in [tag["name"] for tag in committed["tags"]]
    named = {parameter["name"] for parameter in operation["parameters"]}
    assert set(re.findall(r"{(\w+)}", route.path)) <= named
    assert (operation.get("security") == []) == (route.scope is None)
    assert str(route.status) in operation["responses"]
    if route.scope is not None:
        assert {"401", "403", "429"} <= set(operation["responses"])


@ROUTES
def test_examples_match_their_schemas(route: Route) -> None:
    assert (route.name in EXAMPLES) == (route.body is not None)
    for value in EXAMPLES.get(route.name, {}).values():
        assert route.body
        validate_body(route.body, value)


def success_responses(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                if status < "300" and content and operation["operationId"] != "get_openapi":
                    yield operation["operationId"], content


def mismatches(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    checks = OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER)
    return [f"{list(error.path)}: {error.message}" for error in checks.iter_errors(value)]


def test_every_response_has_an_example_that_matches_its_schema(committed: dict[str, Any]) -> None:
    examples = committed["components"]["examples"]
    for name, content in success_responses(committed):
        (reference,) = content["examples"].values()
        value = examples[reference["$ref"].rpartition("/")[2]]["value"]
        assert mismatches(committed, content["schema"], value) == [], name
    assert mismatches(committed, {"$ref": "#/components/schemas/TargetOut"}, {"id": 1}), (
        "the check can fail"
    )


def test_examples_of_bodies_and_problems_match_their_schemas(committed: dict[str, Any]) -> None:
    for path in committed["paths"].values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name, one in content["examples"].items():
                    assert mismatches(committed, content["schema"], one["value"]) == [], name
    for response in committed["components"]["responses"].values():
        for content in response["content"].values():
            assert mismatches(committed, content["schema"], content["example"]) == []


def test_links_refer_to_operations() -> None:
    parameters = {route.name: re.findall(r"{(\w+)}", route.path) for route in ALL}
    for name, links in LINKS.items():
        assert name in parameters
        for link in links.values():
            assert list(link["parameters"]) == parameters[link["operationId"]]


def test_patch_schemas_list_every_field(committed: dict[str, Any]) -> None:
    for name, field in (("TargetPatch", "interval_s"), ("ChannelPatch", "delay_s")):
        kinds = committed["components"]["schemas"][name]["anyOf"]
        assert all(field in kind["properties"] and "required" not in kind for kind in kinds)


def test_reference_page_loads_nothing_from_other_origins(world: World) -> None:
    reply = Person(world, "", "").get("/docs")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"https?://|\son\w+=|\bsrc=|\bhref=|innerHTML", reply.text)
    assert 'fetch("v1/openapi.json")' in reply.text, "must be relative to work under a stage"
