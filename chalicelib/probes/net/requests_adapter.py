"""A transport adapter of requests that connects through the guarded Dialer.

It uses this package's HTTP/1.1 client, which measurements favoured
(docs/decisions/0010-http-transport.md), behind the interface of requests. A guarded Session mounts
the adapter on "http://" and "https://" and sets `trust_env` to False.
"""

import io
import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import InvalidURL
from requests.exceptions import Timeout as RequestsTimeout
from requests.structures import CaseInsensitiveDict

from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, Http2Required, OutOfTime
from chalicelib.probes.net.dialer import MAX_HTTP2_ONLY, Dialer
from chalicelib.probes.net.http1 import Head, read_head, request_bytes
from chalicelib.probes.net.http_body import Body
from chalicelib.probes.net.stream import Connection, ResponseStream, Stream
from chalicelib.probes.net.tls_context import HTTP_1, HTTP_2
from chalicelib.probes.net.tls_stream import TlsStream
from chalicelib.probes.net.urls import BadUrl, Url, parse_url

DEFAULT_TIMEOUT_S: Final = 10.0
MAX_BODY: Final = 1024 * 1024


class Raw(io.RawIOBase):
    """The file object that requests reads a body from; probes use `head` and `body` directly."""

    def __init__(self, stream: ResponseStream, head: Head, body: Body) -> None:
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
        if url.scheme == "http":
            sock: Connection = self._dialer.connect(url.host, url.port, attempt)
            return self._send(request, data, sock, attempt)
        return self._exchange_tls(request, data, url, attempt, verify=verify)

    def _exchange_tls(
        self, request: PreparedRequest, data: bytes, url: Url, attempt: Attempt, *, verify: bool
    ) -> Response:
        """Send a request by HTTP/1.1, or by HTTP/2 if the server speaks nothing else."""
        known, key = self._dialer.http2_only, (url.host.name, url.port)
        connect = partial(self._dialer.connect_tls, url.host, url.port, attempt, verify=verify)
        refusal: Http2Required | None = None
        if key not in known:
            sock: TlsStream | None = None
            try:
                sock = connect(protocols=HTTP_1)
                return self._send(request, data, sock, attempt)
            except Http2Required as failure:
                if sock is not None and sock.protocol():  # it agreed to HTTP/1.1
                    raise
                refusal = failure
        sock = connect(protocols=HTTP_2)
        if sock.protocol() == "h2":
            if len(known) < MAX_HTTP2_ONLY:
                known.add(key)
            return self._send_http2(request, url, sock, attempt)
        if refusal:
            sock.close()
            raise refusal
        known.discard(key)
        return self._send(request, data, sock, attempt)

    def _send(
        self, request: PreparedRequest, data: bytes, sock: Connection, attempt: Attempt
    ) -> Response:
        try:
            attempt.phase = "first_byte"
            stream = Stream(sock, attempt)
            attempt.request_sent = True
            stream.send(data)
            attempt.on_connected()
            return _response(request, stream, read_head(stream, attempt), attempt)
        except BaseException:
            sock.close()
            raise

    def _send_http2(
        self, request: PreparedRequest, url: Url, sock: Connection, attempt: Attempt
    ) -> Response:
        from chalicelib.probes.net.http2 import Http2Stream  # noqa: PLC0415 - 30 ms that few need

        try:
            attempt.phase = "first_byte"
            stream = Http2Stream(Stream(sock, attempt))
            attempt.request_sent = True
            body = _as_bytes(request.body)
            stream.send(request.method or "GET", url.target, request.headers.items(), body)
            attempt.on_connected()
            return _response(request, stream, stream.read_head(attempt), attempt)
        except BaseException:
            sock.close()
            raise

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


def _response(
    request: PreparedRequest, stream: ResponseStream, head: Head, attempt: Attempt
) -> Response:
    attempt.status_code = head.status
    response = Response()
    response.status_code = head.status
    response.reason = head.phrase
    response.headers = CaseInsensitiveDict(_joined(head.headers))
    response.raw = Raw(stream, head, Body(stream, head, request.method or "GET"))
    response.url = request.url or ""
    response.request = request
    return response


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
