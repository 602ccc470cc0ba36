"""The ways in which an HTTP server misbehaves, one line each, and what a check says of it.

To add one: a name, what the server does, and the verdict with its reason. `says` must be part of
the error text.
"""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.checkers.hostile import (
    OK,
    Behaviour,
    Peer,
    answers,
    drips,
    falls_silent_after,
    floods,
    redirect,
    resets_after,
    response,
)


@dataclass(frozen=True)
class Case:
    """A misbehaviour and its outcome; `reason` None means that the target is UP."""

    name: str
    behave: Behaviour
    reason: str | None
    says: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


def _silent(peer: Peer) -> None:
    peer.wait()


def _silent_reset(peer: Peer) -> None:
    peer.reset()


def _loop_of_two(peer: Peer) -> None:
    here = peer.read_request().split()[1]
    peer.say(redirect("/b" if here == b"/a" else "/a"))


def _ten_redirects(peer: Peer) -> None:
    step = int(peer.read_request().split()[1].strip(b"/") or 0)
    peer.say(redirect(f"/{step + 1}") if step < 10 else OK)


def _asks_to_go_on_and_leaves(peer: Peer) -> None:
    peer.read_request()
    peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
BEGUN = b"HTTP/1.1 200 OK\r\nServer: x\r\n"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
WANTS_OK: Final = {"body_contains": "OK"}
WANTS_JSON: Final = {"json": [{"path": "$.a", "equals": 1}]}


def _bomb(wbits: int = 31) -> bytes:
    """256 MiB of zeros, some 256 KiB compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


BOMB: Final = _bomb()
# A brotli stream and a zstd frame as their magic bytes: neither is asked for, neither is opened.
BROTLI: Final = bytes.fromhex("cbffff7f00f8a5404c") + bytes(1000)
ZSTD: Final = bytes.fromhex("28b52ffd") + bytes(1000)


def _encoded(encoding: str, body: bytes) -> bytes:
    return response(f"Content-Encoding: {encoding}", body=body)


SILENCE_AND_RESETS = [
    Case("silence after connecting", _silent, "timeout", "first byte"),
    Case("silence after the request", falls_silent_after(b""), "timeout", "first byte"),
    Case("silence within the status line", falls_silent_after(b"HTTP/1"), "timeout", "headers"),
    Case("silence within the headers", falls_silent_after(BEGUN), "timeout", "headers"),
    Case("silence within the body", falls_silent_after(LONG + b"x"), "timeout", "body"),
    Case("silence within a chunk", falls_silent_after(CHUNKED + b"5\r\nab"), "timeout", "body"),
    Case("silence before the last chunk", falls_silent_after(CHUNKED + b"1\r\na\r\n"), "timeout"),
    Case("silence after the headers", falls_silent_after(ENDLESS), "timeout", "body"),
    Case(
        "silence after an interim answer", falls_silent_after(b"HTTP/1.1 100 \r\n\r\n"), "timeout"
    ),
    Case("RST after connecting", _silent_reset, "connect", "reset"),
    Case("RST after the request", resets_after(b""), "connect", "reset"),
    Case("RST within the status line", resets_after(b"HTTP/1.1 2"), "connect", "reset"),
    Case("RST within the headers", resets_after(BEGUN), "connect", "reset"),
    Case("RST within the body", resets_after(LONG + b"x"), "connect", "reset"),
    Case("RST within a chunk", resets_after(CHUNKED + b"5\r\nab"), "connect", "reset"),
    Case("closed without an answer", answers(), "protocol", "without an answer"),
    Case("closed within the status line", answers(b"HTTP/1.1 200"), "protocol", "headers"),
    Case("closed within the headers", answers(BEGUN), "protocol", "headers"),
    Case("closed within a chunk", answers(CHUNKED + b"5\r\nab"), "protocol", "last chunk"),
    Case("closed before the last chunk", answers(CHUNKED + b"2\r\nOK\r\n"), "protocol"),
    Case("closed after 100 Continue", _asks_to_go_on_and_leaves, "protocol", "headers"),
]
TRICKLES_AND_FLOODS = [
    Case("a status line at a byte at a time", drips(OK), "timeout", "headers"),
    Case("headers at a byte at a time", drips(b"X: " + b"y" * 999, first=BEGUN), "timeout"),
    Case("a body at a byte at a time", drips(b"x" * 999, first=LONG), "timeout", "body"),
    Case("chunks at a byte at a time", drips(b"1\r\na\r\n" * 99, first=CHUNKED), "timeout"),
    Case("gzip at a byte at a time", drips(BOMB, first=GZIP), "timeout", "body"),
    Case("an endless body", floods(b"x" * 65536, first=ENDLESS), None),
    Case(
        "an endless body, a text wanted",
        floods(b"x" * 65536, first=ENDLESS),
        "too_large",
        "1048576 bytes",
        expect=WANTS_OK,
    ),
    Case(
        "an endless body, JSON wanted",
        floods(b"[" * 65536, first=ENDLESS),
        "too_large",
        "JSON",
        expect=WANTS_JSON,
    ),
    Case(
        "an endless body with the text in it",
        floods(b"OK" * 999, first=ENDLESS),
        None,
        expect=WANTS_OK,
    ),
    Case("endless chunks", floods(b"4\r\nabcd\r\n" * 999, first=CHUNKED), None),
    Case(
        "a chunk for every byte",
        floods(b"1\r\nx\r\n" * 999, first=CHUNKED),
        "protocol",
        "20000 chunks",
        expect=WANTS_OK,
    ),
    Case("an endless chunk size", floods(b"0" * 65536, first=CHUNKED), "protocol", "chunked"),
    Case("an endless chunk extension", floods(b"x" * 65536, first=CHUNKED + b"1;"), "protocol"),
    Case(
        "endless trailers",
        floods(b"X: y\r\n" * 99, first=CHUNKED + b"0\r\n"),
        "too_large",
        "trailers",
    ),
    Case("100,000 headers", answers(BEGUN, b"X: y\r\n" * 100_000, b"\r\n"), "too_large", "64 KiB"),
    Case("endless headers", floods(b"X: y\r\n" * 999, first=BEGUN), "too_large", "64 KiB"),
    Case("one header of 1 MB", answers(BEGUN + b"X: " + b"y" * 1_000_000), "too_large", "64 KiB"),
    Case("one status line of 1 MB", answers(b"HTTP/1.1 200 " + b"y" * 1_000_000), "too_large"),
    Case("a folded header of 1 MB", answers(BEGUN + b" y\r\n" * 250_000), "too_large", "64 KiB"),
    Case("endless interim answers", floods(b"HTTP/1.1 103 \r\n\r\n"), "protocol", "interim"),
    Case(
        "large interim answers",
        floods(b"HTTP/1.1 103 \r\nX: " + b"y" * 9000 + b"\r\n\r\n"),
        "too_large",
    ),
    Case("a gzip bomb", answers(_encoded("gzip", BOMB)), None),
    Case(
        "a gzip bomb, JSON wanted", answers(_encoded("gzip", BOMB)), "too_large", expect=WANTS_JSON
    ),
    Case("a deflate bomb", answers(_encoded("deflate", _bomb(15))), None),
    Case(
        "a gzip bomb in a gzip",
        answers(_encoded("gzip, gzip", gzip.compress(BOMB))),
        "protocol",
        "more than once",
    ),
    Case("nine encodings", answers(_encoded(",".join(["gzip"] * 9), BOMB)), "protocol"),
    Case("a brotli bomb", answers(_encoded("br", BROTLI)), "protocol", "not asked for"),
    Case("a zstd bomb", answers(_encoded("zstd", ZSTD)), "protocol", "not asked for"),
    Case(
        "JSON nested 100,000 deep",
        answers(response(body=b"[" * 100_000)),
        "json",
        "valid JSON",
        expect=WANTS_JSON,
    ),
    Case(
        "JSON with a number of 100,000 digits",
        answers(response(body=b"9" * 100_000)),
        "json",
        "valid JSON",
        expect=WANTS_JSON,
    ),
    Case(
        "JSON of 500,000 numbers",
        answers(response(body=b"[" + b"1," * 500_000 + b"1]")),
        "json",
        "too large",
        expect={"json": [{"path": "$[?@ == 1]", "exists": True}]},
    ),
    Case(
        "JSON of 100,000 lists",
        answers(response(body=b"[" + b"[]," * 100_000 + b"[]]")),
        "json",
        "too large",
        expect={"json": [{"path": "$..[?@.a == 1]", "exists": True}]},
    ),
]
FRAMING = [
    Case("a body longer than its length", answers(OK + b"and more"), None, expect=WANTS_OK),
    Case(
        "a body shorter than its length", answers(LONG + b"short"), "protocol", "after 5 of 1000000"
    ),
    Case("a negative length", answers(response("Content-Length: -1")), "protocol", "length"),
    Case(
        "a length that is no number",
        answers(BEGUN + b"Content-Length: two\r\n\r\nOK"),
        "protocol",
        "length",
    ),
    Case("a length with a sign", answers(BEGUN + b"Content-Length: +2\r\n\r\nOK"), "protocol"),
    Case(
        "a length in Arabic digits",
        answers(BEGUN + b"Content-Length: \xd9\xa2\r\n\r\nOK"),
        "protocol",
    ),
    Case("two lengths", answers(response("Content-Length: 3")), "protocol", "length"),
    Case("the same length twice", answers(response("Content-Length: 2")), None),
    Case("a length of 40 digits", answers(response("Content-Length: " + "9" * 40)), "protocol"),
    Case("a chunk size that is no number", answers(CHUNKED + b"zz\r\n"), "protocol", "chunked"),
    Case("a negative chunk size", answers(CHUNKED + b"-1\r\n"), "protocol", "chunked"),
    Case("a chunk size of 40 digits", answers(CHUNKED + b"f" * 40 + b"\r\n"), "protocol"),
    Case(
        "a chunk without its end",
        answers(CHUNKED + b"2\r\nOKAY\r\n0\r\n\r\n"),
        "protocol",
        "wrong length",
    ),
    Case("an empty chunk size", answers(CHUNKED + b"\r\nOK"), "protocol", "chunked"),
    Case(
        "chunks and a length",
        answers(
            BEGUN + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"
        ),
        None,
        expect=WANTS_OK,
    ),
    Case("an unknown transfer encoding", answers(response("Transfer-Encoding: xz")), "protocol"),
    Case("gzip that is none", answers(_encoded("gzip", b"plain text")), "protocol", "valid gzip"),
    Case("gzip cut short", answers(_encoded("gzip", gzip.compress(b"OK" * 99)[:-9])), "protocol"),
    Case(
        "deflate without zlib",
        answers(_encoded("deflate", _raw_deflate(b"OK"))),
        None,
        expect=WANTS_OK,
    ),
    Case("gzip of nothing", answers(_encoded("gzip", b"")), None),
    Case("no content with content", answers(b"HTTP/1.1 204 \r\nContent-Length: 9\r\n\r\n"), None),
]
NO_HTTP = [
    Case(
        "an answer without status line",
        answers(b"Content-Type: a/b\r\n\r\nOK"),
        "protocol",
        "status line",
    ),
    Case("200 without HTTP", answers(b"200 OK\r\n\r\nOK"), "protocol", "status line"),
    Case("HTTP/0.9", answers(b"<html>OK</html>"), "protocol", "status line"),
    Case("HTTP/2 settings", answers(bytes.fromhex("000000040000000000")), "protocol", "HTTP/2"),
    Case("the HTTP/2 preface", answers(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "protocol", "HTTP/2"),
    Case("HTTP/3 in words", answers(b"HTTP/3 200 OK\r\n\r\n"), "protocol", "status line"),
    Case("lower-case http", answers(b"http/1.1 200 OK\r\n\r\n"), "protocol", "status line"),
    Case("a TLS alert", answers(bytes.fromhex("15030100020246")), "protocol", "https://"),
    Case("an SSH banner", answers(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "protocol", "status line"),
    Case("an SMTP banner", answers(b"220 mail.example ESMTP\r\n\r\n"), "protocol"),
    Case("an empty line first", answers(b"\r\n\r\n" + OK), "protocol", "status line"),
    Case("NUL bytes", answers(bytes(100)), "protocol", "status line"),
    Case("status 000", answers(b"HTTP/1.1 000 \r\n\r\n"), "protocol", "malformed"),
    Case("status 99", answers(b"HTTP/1.1 99 \r\n\r\n"), "protocol", "malformed"),
    Case("status 1000", answers(b"HTTP/1.1 1000 \r\n\r\n"), "protocol", "malformed"),
    Case("status -200", answers(b"HTTP/1.1 -200 \r\n\r\n"), "protocol", "malformed"),
    Case("status in words", answers(b"HTTP/1.1 OK\r\n\r\n"), "protocol", "malformed"),
    Case("status 999", answers(response(status="999 No")), "status", "got 999"),
    Case("status 101 unasked", answers(b"HTTP/1.1 101 \r\n\r\n"), "protocol", "switched"),
]
ODD_BYTES = [
    Case("NUL in a header", answers(response("X: a\0b")), "protocol", "control character"),
    Case("NUL in a header's name", answers(response("X\0: a")), "protocol", "malformed"),
    Case("a space in a header's name", answers(response("X Y: a")), "protocol", "malformed"),
    Case("a header without colon", answers(response("nonsense")), "protocol", "malformed"),
    Case("CR in a header", answers(response("X: a\rb")), "protocol", "control character"),
    Case("invalid UTF-8 in a header", answers(response("X: \xff\xfe")), None),
    Case("invalid UTF-8 in the phrase", answers(response(status="200 \xff\xfe")), None),
    Case("invalid UTF-8 in the body", answers(response(body=b"\xff\xfeOK")), None, expect=WANTS_OK),
    Case("NUL in the body", answers(response(body=b"\0O\0K\0")), "body", expect=WANTS_OK),
    Case(
        "a charset that is none",
        answers(response("Content-Type: text/html; charset=\x01nonsense")),
        None,
        expect=WANTS_OK,
    ),
    Case(
        "a charset that unpacks",
        answers(response("Content-Type: text/html; charset=bz2")),
        None,
        expect=WANTS_OK,
    ),
    Case(
        "a charset that is slow",
        answers(response("Content-Type: a/b; charset=idna", body=b"OK" * 99_999)),
        None,
        expect=WANTS_OK,
    ),
    Case("line ends without CR", answers(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nOK"), None),
    Case("a status without phrase", answers(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), None),
    Case(
        "a folded header", answers(response("X: a\r\n b")), None, expect={"headers": {"x": "a b"}}
    ),
    Case(
        "ESC and CR/LF where a value is shown",
        answers(response("X: \x1b[31mred")),
        "header",
        expect={"headers": {"x": "blue"}},
    ),
]
REDIRECTS = [
    Case("a redirect to itself", answers(redirect("/")), "redirects", "more than 10"),
    Case("a loop of two", _loop_of_two, "redirects", "more than 10"),
    Case("ten redirects", _ten_redirects, None),
    Case("an empty location", answers(redirect("")), "redirects"),
    Case("a redirect without location", answers(response(status="302 Found")), "status", "302"),
    Case("to file:", answers(redirect("file:///etc/passwd")), "blocked", "http:// or https://"),
    Case("to gopher:", answers(redirect("gopher://127.0.0.1:70/x")), "blocked"),
    Case("to ftp:", answers(redirect("ftp://127.0.0.1/")), "blocked"),
    Case("to data:", answers(redirect("data:text/plain,OK")), "blocked"),
    Case("to javascript:", answers(redirect("javascript:alert(1)")), "blocked"),
    Case(
        "to a metadata service",
        answers(redirect("http://169.254.169.254/")),
        "blocked",
        "link-local",
    ),
    Case("to one in decimal", answers(redirect("http://2852039166/")), "blocked", "link-local"),
    Case("to one in hexadecimal", answers(redirect("http://0xA9FEA9FE/")), "blocked"),
    Case("to one in octal", answers(redirect("http://0251.0376.0251.0376/")), "blocked"),
    Case("to one in IPv6", answers(redirect("http://[::ffff:169.254.169.254]/")), "blocked"),
    Case("to this network", answers(redirect("http://0.0.0.0/")), "blocked"),
    Case(
        "to the Lambda runtime",
        answers(redirect("http://127.0.0.1:9001/2018-06-01/")),
        "blocked",
        "9001",
    ),
    Case("with a password", answers(redirect("http://a:b@127.0.0.1/")), "blocked", "password"),
    Case("with a backslash", answers(redirect("http://127.0.0.1\\@example.com/")), "blocked"),
    Case("with a space", answers(redirect("/a b")), "blocked", "space"),
    Case("with NUL", answers(redirect("/\0")), "protocol", "control character"),
    Case("with CR", answers(redirect("/\rX: y")), "protocol", "control character"),
    Case("with CR/LF that adds a header", answers(redirect("/x\r\nSet-Cookie: a=b")), "redirects"),
    Case("with an endless location", answers(redirect("/" + "x" * 60_000)), "blocked", "longer"),
    Case("to a port that is none", answers(redirect("http://127.0.0.1:99999/")), "blocked"),
    Case("to a host that is none", answers(redirect("http://a..b/")), "blocked", "valid name"),
    Case(
        "401 again and again",
        answers(response("WWW-Authenticate: Basic realm=x", status="401 No")),
        "status",
        "401",
    ),
]
CASES = [
    *SILENCE_AND_RESETS,
    *TRICKLES_AND_FLOODS,
    *FRAMING,
    *NO_HTTP,
    *ODD_BYTES,
    *REDIRECTS,
]
