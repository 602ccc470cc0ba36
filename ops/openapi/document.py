"""Generates the OpenAPI document from the routes and schemas: `make openapi`.

It is committed as docs/openapi.json and shipped as a file, because generating it takes a second. A
test fails if it is outdated.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.api import route_index
from chalicelib.api.problems import BY_ERROR, CONTENT_TYPE, GATEWAYS, INTERNAL, PREFIX, Kind
from chalicelib.api.routing import JSON, Route
from chalicelib.api.schemas import Problem
from chalicelib.common.errors import MonitumError
from chalicelib.routes import ALL
from ops import ROOT
from ops.console import say
from ops.openapi.examples import example
from ops.openapi.texts import (
    EXAMPLES,
    INFO,
    LINKS,
    PARAMETERS,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    TAGS,
)

FILE = ROOT / "docs" / "openapi.json"
Json = dict[str, Any]
_REF = "#/components/schemas/{model}"


def write() -> None:
    """Write docs/openapi.json and the route index."""
    FILE.write_text(text(), encoding="utf-8")
    route_index.FILE.write_text(route_index.text(ALL), encoding="utf-8")
    say(f"{FILE.relative_to(ROOT)} describes {len(ALL)} operations")


def text() -> str:
    """The text of docs/openapi.json."""
    return json.dumps(document(ALL), indent=1, ensure_ascii=False) + "\n"


def document(routes: Iterable[Route]) -> Json:
    """The document that describes `routes`."""
    table = list(routes)
    named, schemas = _schemas(table)
    paths: dict[str, Json] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, named)
    used = {route.tag for route in table}
    return {
        "openapi": "3.1.1",
        "info": INFO,
        "servers": [{"url": "..", "description": "This installation"}],
        "tags": [{"name": name, "description": TAGS[name]} for name in TAGS if name in used],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": _add_examples(paths, schemas),
            "responses": {kind.slug: _problem_response(kind) for kind in _kinds()},
            "headers": RESPONSE_HEADERS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "mon_…",
                    "description": "`Authorization: Token mon_…`, or `Bearer` instead of `Token`.",
                }
            },
        },
    }


def _schemas(table: list[Route]) -> tuple[dict[tuple[type[BaseModel], str], Json], Json]:
    """References by schema and direction, and the schemas that they refer to."""
    used: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for route in table:
        if route.body:
            used[route.body, "validation"] = None
        for response in (route.response, *route.other_responses.values()):
            if response:
                used[response, "serialization"] = None
    named, found = models_json_schema(list(used), ref_template=_REF)
    schemas = {name: _without_titles(schema) for name, schema in sorted(found["$defs"].items())}
    return cast("dict[tuple[type[BaseModel], str], Json]", named), schemas


def _without_titles(schema: Any) -> Any:
    """Remove the titles that pydantic generates from names."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: _without_titles(item) for key, item in value.items()}
        if name in {"properties", "$defs"}
        else value
        if name in {"default", "examples", "const", "enum"}
        else _without_titles(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }


def _operation(route: Route, named: dict[tuple[type[BaseModel], str], Json]) -> Json:
    summary, _, description = (route.view.__doc__ or "").strip().partition("\n\n")
    operation: Json = {"operationId": route.name, "tags": [route.tag], "summary": _flat(summary)}
    if description:
        operation["description"] = _flat(description)
    if route.scope is None:
        operation["security"] = []
    else:
        operation["x-scope"] = route.scope.value
    operation["parameters"] = [*_path(route), *_query(route), *_headers(route)]
    if route.body:
        content: Json = {"schema": named[route.body, "validation"]}
        content["examples"] = {
            name: {"value": value} for name, value in EXAMPLES[route.name].items()
        }
        operation["requestBody"] = {"required": True, "content": {JSON: content}}
    operation["responses"] = _responses(route, named)
    return operation


def _add_examples(paths: Mapping[str, Json], schemas: Json) -> Json:
    """Add a reference to its schema's example to each JSON response; returns the examples."""
    examples: Json = {}
    operations = [operation for path in paths.values() for operation in path.values()]
    for response in [one for operation in operations for one in operation["responses"].values()]:
        content = response.get("content", {}).get(JSON)
        if content and "$ref" in content["schema"]:
            name = content["schema"]["$ref"].rpartition("/")[2]
            content["examples"] = {"answer": {"$ref": f"#/components/examples/{name}"}}
            examples[name] = {"value": example(schemas[name], schemas)}
    return dict(sorted(examples.items()))


def _responses(route: Route, named: dict[tuple[type[BaseModel], str], Json]) -> Json:
    responses = {str(route.status): _success(route, named)}
    for status, schema in route.other_responses.items():
        content = {JSON: {"schema": named[schema, "serialization"]}}
        responses[str(status)] = {"description": _flat(schema.__doc__ or ""), "content": content}
    for status in route.statuses:
        slug = _kinds_of(status)[0].slug
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{slug}"})
    return dict(sorted(responses.items()))


def _success(route: Route, named: dict[tuple[type[BaseModel], str], Json]) -> Json:
    text = route.response.__doc__ if route.response else None
    response: Json = {"description": _flat(text or _SUCCESS)}
    headers = [*route.response_headers, *(["RateLimit-Policy", "RateLimit"] if route.scope else [])]
    if "Idempotency-Key" in route.request_headers:
        headers.append("Idempotent-Replayed")
    if headers:
        refs = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
        response["headers"] = refs
    if route.status != 204:
        response["content"] = {media: _media(route, media, named) for media in route.media_types}
    if links := LINKS.get(route.name):
        response["links"] = links
    return response


_SUCCESS = "The request succeeded."


def _media(route: Route, media: str, named: dict[tuple[type[BaseModel], str], Json]) -> Json:
    if media == JSON:
        schema = named[route.response, "serialization"] if route.response else {"type": "object"}
        return {"schema": schema}
    return {"schema": {"type": "string"}}


def _path(route: Route) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, **PARAMETERS[name]}


def _query(route: Route) -> Iterator[Json]:
    schema = _without_titles(route.query.model_json_schema(ref_template=_REF))
    for name, property_ in schema.get("properties", {}).items():
        parameter: Json = {"name": name, "in": "query", "schema": _without_null(property_)}
        if name in schema.get("required", ()):
            parameter["required"] = True
        yield parameter


def _without_null(schema: Json) -> Json:
    """Remove null from a parameter's schema: an optional parameter is omitted, never null."""
    if "anyOf" not in schema:
        return schema
    choices = [one for one in schema["anyOf"] if one != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**choices[0], **rest} if len(choices) == 1 else {"anyOf": choices, **rest}


def _headers(route: Route) -> Iterator[Json]:
    for name in route.request_headers:
        yield {"name": name, "in": "header", **REQUEST_HEADERS[name]}


def _kinds() -> list[Kind]:
    return sorted(
        {*BY_ERROR.values(), INTERNAL, *GATEWAYS}, key=lambda kind: (kind.status, kind.slug)
    )


def _kinds_of(status: int) -> list[Kind]:
    """The kinds of problems with this status, the most general first."""
    general = [
        kind
        for error, kind in BY_ERROR.items()
        if kind.status == status and error.__bases__ == (MonitumError,)
    ]
    return general or [kind for kind in _kinds() if kind.status == status]


def _problem_response(kind: Kind) -> Json:
    response: Json = {
        "description": kind.title,
        "content": {
            CONTENT_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {
                    "type": PREFIX + kind.slug,
                    "title": kind.title,
                    "status": kind.status,
                    "detail": "a description of the problem",
                    "request_id": "4f2b7c0e-5a0e-4c55-9d4f-6d3c1e0b9a11",
                    "errors": [],
                },
            }
        },
    }
    if kind.status == 401:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if kind.status == 429:
        response["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return response


def _flat(text: str) -> str:
    return " ".join(text.split())
