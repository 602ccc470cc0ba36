"""Servers that speak HTTP/2 by TLS, and nothing else."""

import gzip
from collections.abc import Callable
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived
from h2.exceptions import ProtocolError

from tests.probes.hostile import OK, Behaviour, Peer, answers
from tests.probes.quirks.case import Quirk

Headers = list[tuple[str, str]]
Answer = Callable[[H2Connection, int, dict[str, str]], None]
PAGE = [(":status", "200"), ("content-type", "text/html")]


def speaks(answer: Answer, *, silently: bool = False) -> Behaviour:
    """Speak HTTP/2: answer each request; close, or say why (unless `silently`), if it is none."""

    def behave(peer: Peer) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        connection.initiate_connection()
        if not silently:
            peer.say(connection.data_to_send())
        while data := peer.sock.recv(65536):
            peer.requests.append(data)
            try:
                events = connection.receive_data(data)
            except ProtocolError:
                if not silently:
                    peer.say(connection.data_to_send())
                return
            for event in events:
                if isinstance(event, RequestReceived):
                    headers = {str(name): str(value) for name, value in event.headers}
                    with suppress(ProtocolError):
                        answer(connection, event.stream_id, headers)
            peer.say(connection.data_to_send())

    return behave


def shows(headers: Headers, body: bytes = b"OK") -> Answer:
    """Return the answer with a page."""

    def answer(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
        connection.send_headers(stream, headers)
        for at in range(0, len(body), 16_000):
            connection.send_data(stream, body[at : at + 16_000])
        connection.end_stream(stream)

    return answer


def _redirects(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    if request[":path"] == "/":
        found = [(":status", "302"), ("location", "/a b"), ("set-cookie", "a=b")]
        connection.send_headers(stream, found, end_stream=True)
    else:
        is_right = (request[":path"], request.get("cookie")) == ("/a%20b", "a=b")
        shows(PAGE, b"OK" if is_right else b"no")(connection, stream, request)


def _interim(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    connection.send_headers(stream, [(":status", "103"), ("link", "</a>; rel=preload")])
    shows(PAGE)(connection, stream, request)


def _trailers(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    connection.send_headers(stream, PAGE)
    connection.send_data(stream, b"OK")
    connection.send_headers(stream, [("x-checksum", "1")], end_stream=True)


def _resets(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    connection.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)


def _goes_away(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, last_stream_id=0)


def _short(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    shows([*PAGE, ("content-length", "1000")])(connection, stream, request)


def _never_ends(connection: H2Connection, stream: int, request: dict[str, str]) -> None:
    connection.send_headers(stream, PAGE)
    connection.send_data(stream, b"OK")
    connection.close_connection(ErrorCodes.INTERNAL_ERROR)


def quirk(name: str, behave: Behaviour, reason: str | None = None, says: str = "") -> Quirk:
    return Quirk(name, behave, reason, says, tls=("h2",))


ZIPPED = [*PAGE, ("content-encoding", "gzip")]
HTTP2 = [
    quirk("a page", speaks(shows(PAGE))),
    quirk("closed without a word to others", speaks(shows(PAGE), silently=True)),
    Quirk("refused in the handshake", speaks(shows(PAGE)), tls=("h2",), alerts=True),
    Quirk("HTTP/1.1 is spoken as well", answers(OK), tls=("http/1.1", "h2")),
    Quirk("no protocol is chosen", answers(OK), tls=()),
    quirk("a long page", speaks(shows(PAGE, b"<p>" + b"x" * 60_000 + b"OK"))),
    quirk("gzip", speaks(shows(ZIPPED, gzip.compress(b"<p>OK")))),
    quirk("redirects and cookies", speaks(_redirects)),
    quirk("an interim response", speaks(_interim)),
    quirk("trailers", speaks(_trailers)),
    quirk("an empty page", speaks(shows(PAGE, b"")), "body"),
    quirk("404", speaks(shows([(":status", "404")], b"no")), "status", "404"),
    quirk("the stream is reset", speaks(_resets), "protocol", "INTERNAL_ERROR"),
    quirk("the connection is ended", speaks(_goes_away), "protocol", "ENHANCE_YOUR_CALM"),
    Quirk(
        "a body shorter than its length",
        speaks(_short),
        "protocol",
        tls=("h2",),
        stricter="the page is not complete",
    ),
    quirk("the connection is ended within the body", speaks(_never_ends), "protocol"),
]
