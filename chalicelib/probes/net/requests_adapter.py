"""A transport adapter of requests that connects through the guarded Dialer.

It uses this package's HTTP/1.1 client, which measurements favoured
(docs/decisions/0010-http-transport.md), behind the interface of requests. A guarded Session mounts
the adapter on "http://" and "https://" and sets `trust_env` to False.
"""

import io
import time
from collections.abc import Mapping
from typing import Final

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import InvalidURL
from requests.exceptions import Timeout as RequestsTimeout
from requests.structures import CaseInsensitiveDict

from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.http1 import Head, read_head, request_bytes
from chalicelib.probes.net.http_body import Body
from chalicelib.probes.net.stream import Connection, Stream
from chalicelib.probes.net.urls import BadUrl, Url, parse_url

DEFAULT_TIMEOUT_S: Final = 10.0
MAX_BODY: Final = 1024 * 1024


class Raw(io.RawIOBase):
    """The file object that requests reads a body from; probes use `head` and `body` directly."""

    def __init__(self, stream: Stream, head: Head, body: Body) -> None:
        self._stream = stream
        self.head = head
        self.body = body
        self._content: io.BytesIO | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, **_: object) -> bytes:
        """Return decoded bytes, at most MAX_BODY in total."""
        if self._content is None:
            self._content = io.BytesIO(self.body.read(MAX_BODY))
        return self._content.read(size)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def release_conn(self) -> None:
        """Close the connection, which is used only once."""
        self.close()


class GuardedAdapter(BaseAdapter):
    """Sends each request over a new guarded connection; does not follow redirects."""

    def __init__(self, dialer: Dialer) -> None:
        super().__init__()
        self._dialer = dialer

    def exchange(
        self, request: PreparedRequest, url: Url, attempt: Attempt, *, verify: bool
    ) -> Response:
        """Send a request to `url`, the parsed `request.url`; raise CheckFailure.

        The body is not read yet; closing the response closes the connection.
        """
        data = request_bytes(
            request.method or "GET",
            url.target,
            request.headers.items(),
            _as_bytes(request.body),
        )
        sock: Connection
        if url.scheme == "https":
            sock = self._dialer.connect_tls(url.host, url.port, attempt, verify=verify, http=True)
        else:
            sock = self._dialer.connect(url.host, url.port, attempt)
        try:
            attempt.phase = "first_byte"
            stream = Stream(sock, attempt)
            attempt.request_sent = True
            stream.send(data)
            attempt.on_connected()
            return self._response(request, stream, attempt)
        except BaseException:
            sock.close()
            raise

    def _response(self, request: PreparedRequest, stream: Stream, attempt: Attempt) -> Response:
        head = read_head(stream, attempt)
        attempt.status_code = head.status
        response = Response()
        response.status_code = head.status
        response.reason = head.phrase
        response.headers = CaseInsensitiveDict(_joined(head.headers))
        response.raw = Raw(stream, head, Body(stream, head, request.method or "GET"))
        response.url = request.url or ""
        response.request = request
        return response

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature of requests
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - the same
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request of a Session; `timeout` limits the total time."""
        del cert, proxies
        seconds = timeout[0] if isinstance(timeout, tuple) else timeout
        attempt = Attempt(time.monotonic() + (seconds or DEFAULT_TIMEOUT_S))
        try:
            url = parse_url(request.url or "")
            request.headers.setdefault("Host", url.authority)
            request.headers["Connection"] = "close"
            request.headers["Accept-Encoding"] = "gzip, deflate"  # requests may offer more
            response = self.exchange(request, url, attempt, verify=verify is not False)
            if not stream:
                response.content  # noqa: B018 - reading it is the point
        except BadUrl as error:
            raise InvalidURL(str(error), request=request) from None
        except OutOfTime as error:
            raise RequestsTimeout(error.text, request=request) from None
        except CheckFailure as error:
            raise RequestsConnectionError(error.text, request=request) from None
        return response

    def close(self) -> None:
        """Do nothing, since connections are not kept open."""


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: ", ".join(parts) for name, parts in values.items()}


def _as_bytes(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    raise TypeError("a body must be text or bytes")
