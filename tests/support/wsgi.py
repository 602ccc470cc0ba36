"""The API as a WSGI application, for schemathesis."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ops.local.gateway import Gateway


def application(gateway: Gateway) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Pass every request to the gateway unchanged."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        response = gateway.handle_request(
            environ["REQUEST_METHOD"], _path(environ), _headers(environ), _body(environ)
        )
        status = HTTPStatus(response["statusCode"])
        headers = [(name, str(value)) for name, value in response["headers"].items()]
        headers += [
            (name, str(value))
            for name, values in response["multiValueHeaders"].items()
            for value in values
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [(response["body"] or "").encode()]

    return call


def _path(environ: dict[str, Any]) -> str:
    raw: str = environ.get("REQUEST_URI") or environ["PATH_INFO"]
    if "?" in raw or not environ.get("QUERY_STRING"):
        return raw
    return f"{raw}?{environ['QUERY_STRING']}"


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    found = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["CONTENT-TYPE"] = environ["CONTENT_TYPE"]
    return found


def _body(environ: dict[str, Any]) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body
