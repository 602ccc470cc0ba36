"""Lengths, chunks and encodings that are wrong."""

import gzip
import zlib

from tests.probes.hostile import OK, answers, drips, response
from tests.probes.misbehaviours.case import BEGUN, CHUNKED, GZIP, LONG, WANTS_OK, Case, encoded


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


FRAMING = [
    Case("a body longer than its length", answers(OK + b"and more"), None, expect=WANTS_OK),
    Case(
        "a body shorter than its length", answers(LONG + b"short"), "protocol", "after 5 of 1000000"
    ),
    Case(
        "a negative length",
        answers(response("Content-Length: -1")),
        "protocol",
        "two content lengths",
    ),
    Case(
        "a length that is no number",
        answers(BEGUN + b"Content-Length: two\r\n\r\nOK"),
        None,
        expect=WANTS_OK,
    ),
    Case("a length with a sign", answers(BEGUN + b"Content-Length: +2\r\n\r\nOK"), None),
    Case(
        "a length in Arabic digits",
        answers(BEGUN + b"Content-Length: \xd9\xa2\r\n\r\nOK"),
        None,
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
    Case("an unknown transfer encoding", answers(response("Transfer-Encoding: xz")), None),
    Case("gzip as transfer encoding", answers(response("Transfer-Encoding: gzip")), "protocol"),
    Case(
        "gzip that is none",
        answers(encoded("gzip", b"OK")),
        "protocol",
        "labelled",
        expect=WANTS_OK,
        warns=True,
    ),
    Case("gzip that is none, cut", drips(b"OK" * 9, first=GZIP), "timeout"),
    Case("gzip cut short", answers(encoded("gzip", gzip.compress(b"OK" * 99)[:-9])), "protocol"),
    Case(
        "deflate without zlib",
        answers(encoded("deflate", _raw_deflate(b"OK"))),
        None,
        expect=WANTS_OK,
    ),
    Case("gzip of nothing", answers(encoded("gzip", b"")), None),
    Case(
        "not modified, and a length",
        answers(b"HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n"),
        "status",
        "got 304",
    ),
    Case("no content with content", answers(b"HTTP/1.1 204 \r\nContent-Length: 9\r\n\r\n"), None),
]
