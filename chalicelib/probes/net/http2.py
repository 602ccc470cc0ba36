"""HTTP/2 (RFC 9113) for servers that speak nothing else: one request on a connection of its own.

Loaded only for these: h2 takes 30 ms to import, and 0.7 ms of CPU more per check.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import DenialOfServiceError, ProtocolError
from h2.settings import SettingCodes, Settings

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.http1 import MAX_HEAD, MAX_INTERIM, Head, too_large
from chalicelib.probes.net.stream import Stream

MAX_EVENTS: Final = 4_000  # limits the CPU time spent on frames without data, or with little
_MAX_IDLE: Final = 4 * MAX_HEAD  # bytes without a complete frame
_WINDOW: Final = 1024 * 1024
# Headers of a connection (RFC 9113, 8.2.2), and what is sent as a pseudo-header.
_LEFT_OUT: Final = frozenset(
    {"host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"}
)


class Http2Stream:
    """The response to one request, received like from a `Stream`: b"" is the end of the body."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._connection = H2Connection(H2Configuration(client_side=True))
        self._connection.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD,
            },
        )
        self._connection.initiate_connection()
        self._id = self._connection.get_next_available_stream_id()
        self._head: Head | None = None
        self._data: list[bytes] = []
        self._ended = False
        self._events = self._interim = self._idle = 0

    @property
    def deadline(self) -> float:
        return self._stream.deadline

    def close(self) -> None:
        self._stream.close()

    def send(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> None:
        """Send a request, whose headers are valid ones of HTTP/1.1; raise CheckFailure."""
        fields = [(name.lower(), value) for name, value in headers]
        authority = next(value for name, value in fields if name == "host")
        pseudo = [(":method", method), (":scheme", "https"), (":authority", authority)]
        pseudo.append((":path", target))
        sent = [*pseudo, *((name, value) for name, value in fields if name not in _LEFT_OUT)]
        encoded = [(name.encode(), _encoded(value)) for name, value in sent]
        self._connection.send_headers(self._id, encoded, end_stream=not body)
        size = self._connection.max_outbound_frame_size
        for at in range(0, len(body), size):
            piece = body[at : at + size]
            self._connection.send_data(self._id, piece, end_stream=at + size >= len(body))
        self._stream.send(self._connection.data_to_send())

    def read_head(self, attempt: Attempt) -> Head:
        """Read the head of the final response; raise CheckFailure. Records `first_byte`."""
        attempt.phase = "first_byte"
        while self._head is None:
            self._receive("the first byte")
            if self._ended and self._head is None:
                raise CheckFailure(Reason.PROTOCOL, "the HTTP/2 stream ended without a response")
        attempt.record("first_byte")
        attempt.phase = "body"
        return self._head

    def receive(self, what: str, size: int = 0) -> bytes:
        """Return some bytes of the body, b"" at its end; raise CheckFailure."""
        del size
        while not self._data and not self._ended:
            self._receive(what)
        data, self._data = b"".join(self._data), []
        return data

    def _receive(self, what: str) -> None:
        data = self._stream.receive(what)
        if not data:
            text = f"the HTTP/2 connection was closed while waiting for {what}"
            raise CheckFailure(Reason.PROTOCOL, text)
        try:
            events = self._connection.receive_data(data)
        except DenialOfServiceError:
            raise too_large() from None
        except (ProtocolError, ValueError, LookupError) as error:
            text = f"the response violates HTTP/2 ({type(error).__name__})"
            raise CheckFailure(Reason.PROTOCOL, text) from None
        self._events += len(events)
        self._idle = 0 if events else self._idle + len(data)
        if self._events > MAX_EVENTS:
            raise CheckFailure(Reason.PROTOCOL, f"more than {MAX_EVENTS} HTTP/2 frames")
        if self._idle > _MAX_IDLE:
            raise CheckFailure(Reason.PROTOCOL, "an HTTP/2 frame does not end")
        for event in events:
            self._handle(event)
        with suppress(CheckFailure):  # a server that has sent all of it may be gone
            self._stream.send(self._connection.data_to_send())

    def _handle(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            if event.data:  # empty bytes would be the end
                self._data.append(event.data)
            if event.flow_controlled_length and not self._ended:
                self._connection.acknowledge_received_data(event.flow_controlled_length, self._id)
        elif isinstance(event, ResponseReceived):
            self._head = _head(event.headers)
        elif isinstance(event, InformationalResponseReceived):
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise CheckFailure(Reason.PROTOCOL, f"more than {MAX_INTERIM} interim responses")
        elif isinstance(event, StreamEnded):
            self._ended = True
        else:
            self._check_refusal(event)

    def _check_refusal(self, event: Event) -> None:
        if isinstance(event, StreamReset):
            raise _ended_by_server("stream", event.error_code)
        if isinstance(event, ConnectionTerminated) and (
            event.error_code or (event.last_stream_id or 0) < self._id
        ):
            raise _ended_by_server("connection", event.error_code)


def _head(headers: Iterable[tuple[bytes | str, bytes | str]]) -> Head:
    """Return the head without what frames the body, which HTTP/2 does itself."""
    status, fields = 0, []
    for name, value in ((_decoded(name), _decoded(value)) for name, value in headers):
        if name == ":status" and value.isascii() and value.isdigit() and len(value) == 3:
            status = int(value)
        elif not name.startswith(":") and name not in {"content-length", "transfer-encoding"}:
            fields.append((name, value.strip(" \t")))
    if status < 200:
        raise CheckFailure(Reason.PROTOCOL, "the HTTP/2 status is malformed")
    return Head(status, "", fields, b"")


def _ended_by_server(what: str, code: int | None) -> CheckFailure:
    try:
        name = ErrorCodes(code or 0).name
    except ValueError:
        name = str(code)
    return CheckFailure(Reason.PROTOCOL, f"the server ended the HTTP/2 {what} ({name})")


def _decoded(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode("latin-1")


def _encoded(value: str) -> bytes:
    try:
        return value.strip(" \t").encode("latin-1")
    except UnicodeEncodeError:
        return value.strip(" \t").encode("utf-8", "replace")
