"""The OpenAPI document: valid, what the code says, and answered by the API itself."""

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


def test_what_is_committed_is_what_the_code_says() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.text(), "run: make openapi"


def test_the_door_knows_where_every_operation_is() -> None:
    assert route_index.FILE.read_text(encoding="utf-8") == route_index.text(ALL), (
        "run: make openapi"
    )
    found = {one.name: one.load() for one in route_index.operations()}
    assert found == {route.name: route for route in ALL}


def test_it_is_valid(committed: dict[str, Any]) -> None:
    assert committed["openapi"].startswith("3.1.")
    validate(committed)


def test_the_api_answers_with_it(world: World, committed: dict[str, Any]) -> None:
    reply = Person(world, "", "").get("/v1/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == committed


@ROUTES
def test_every_operation_is_there_with_all_that_a_caller_needs(
    route: Route, committed: dict[str, Any]
) -> None:
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
def test_examples_fit_their_schemas(route: Route) -> None:
    assert (route.name in EXAMPLES) == (route.body is not None)
    for value in EXAMPLES.get(route.name, {}).values():
        assert route.body
        validate_body(route.body, value)


def good_answers(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if status < "300" and content and operation["operationId"] != "get_openapi":
                    yield operation["operationId"], content


def misfits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    checks = OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER)
    return [f"{list(error.path)}: {error.message}" for error in checks.iter_errors(value)]


def test_every_answer_has_an_example_that_fits_its_schema(committed: dict[str, Any]) -> None:
    examples = committed["components"]["examples"]
    for name, content in good_answers(committed):
        (reference,) = content["examples"].values()
        value = examples[reference["$ref"].rpartition("/")[2]]["value"]
        assert misfits(committed, content["schema"], value) == [], name
    assert misfits(committed, {"$ref": "#/components/schemas/TargetOut"}, {"id": 1}), "it can fail"


def test_examples_of_bodies_and_problems_fit_their_schemas(committed: dict[str, Any]) -> None:
    for path in committed["paths"].values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name, one in content["examples"].items():
                    assert misfits(committed, content["schema"], one["value"]) == [], name
    for response in committed["components"]["responses"].values():
        for content in response["content"].values():
            assert misfits(committed, content["schema"], content["example"]) == []


def test_links_lead_to_operations() -> None:
    parameters = {route.name: re.findall(r"{(\w+)}", route.path) for route in ALL}
    for name, links in LINKS.items():
        assert name in parameters
        for link in links.values():
            assert list(link["parameters"]) == parameters[link["operationId"]]


def test_what_a_patch_takes_is_told_field_by_field(committed: dict[str, Any]) -> None:
    for name, field in (("TargetPatch", "interval_s"), ("ChannelPatch", "delay_s")):
        kinds = committed["components"]["schemas"][name]["anyOf"]
        assert all(field in kind["properties"] and "required" not in kind for kind in kinds)


def test_the_page_that_shows_it_loads_nothing_from_elsewhere(world: World) -> None:
    reply = Person(world, "", "").get("/docs")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"https?://|\son\w+=|\bsrc=|\bhref=|innerHTML", reply.text)
    assert 'fetch("v1/openapi.json")' in reply.text, "relative: it has to work under a stage"
