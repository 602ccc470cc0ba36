"""The API as a WSGI application: what schemathesis calls instead of a server."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ops.gateway import Gateway


def application(gateway: Gateway) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Hands every request to the gateway, byte for byte."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = gateway.handle_request(
            environ["REQUEST_METHOD"], _path(environ), _headers(environ), _body(environ)
        )
        status = HTTPStatus(answer["statusCode"])
        headers = [(name, str(value)) for name, value in answer["headers"].items()]
        headers += [
            (name, str(value))
            for name, values in answer["multiValueHeaders"].items()
            for value in values
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [(answer["body"] or "").encode()]

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
