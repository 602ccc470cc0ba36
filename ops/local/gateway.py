"""A local API Gateway: chalice's, with the features that it lacks.

These are a guard against web pages of other origins, request ids, and the path `/{proxy+}`, for
unknown paths and methods that a path lacks.
"""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalGateway

from ops.local import guard

GREEDY = "/{proxy+}"


class Gateway(LocalGateway):
    """Handles requests with an application, as Lambda calls it."""

    def __init__(self, app: Chalice, config: Config | None = None) -> None:
        super().__init__(app, config or Config())

    def _generate_lambda_event(
        self, method: str, path: str, headers: Any, body: bytes | None
    ) -> dict[str, Any]:
        event: dict[str, Any]
        try:
            event = super()._generate_lambda_event(method, path, headers, body)
        except ValueError:
            event = self._greedy(method, path, headers, body)
        resource = event["requestContext"]["resourcePath"]
        if resource == GREEDY or method not in self._app_object.routes[resource]:
            event = self._greedy(method, path, headers, body)
        event["requestContext"]["requestId"] = str(uuid4())
        return event

    def _greedy(self, method: str, path: str, headers: Any, body: bytes | None) -> dict[str, Any]:
        path, separator, query = path.partition("?")
        event: dict[str, Any] = super()._generate_lambda_event(
            method, f"/any{separator}{query}", headers, body
        )
        event["requestContext"] |= {"resourcePath": GREEDY, "path": path}
        event["pathParameters"] = {"proxy": path.lstrip("/")}
        return event


class RequestHandler(ChaliceRequestHandler):
    """Serves HTTP with a Gateway."""

    def __init__(
        self, request: Any, client: Any, server: Any, app: Chalice, config: Config
    ) -> None:
        # chalice's __init__ sets its own gateway and then handles the request. The property below
        # ignores that gateway.
        self._gateway = Gateway(app, config)
        super().__init__(request, client, server, app, config)

    def parse_request(self) -> bool:
        """Read the request line and the headers; False if the request is refused."""
        if not super().parse_request():
            return False
        headers = {name.lower(): self.headers.get_all(name, []) for name in self.headers}
        path, port = self.path.partition("?")[0], self.server.server_address[1]
        why = guard.refusal(self.command, path, headers, int(port))
        if why is not None:
            # Ends the connection, whose request body has not been read.
            self.send_error(HTTPStatus.FORBIDDEN, why)
        return why is None

    @property
    def local_gateway(self) -> LocalGateway:
        return self._gateway

    @local_gateway.setter
    def local_gateway(self, _ignored: LocalGateway) -> None:
        pass
