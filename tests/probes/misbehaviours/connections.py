"""Silence, resets, trickles and floods."""

import gzip

from tests.probes.hostile import OK, Peer, answers, drips, falls_silent_after, floods, resets_after
from tests.probes.misbehaviours.case import (
    BEGUN,
    CHUNKED,
    ENDLESS,
    GZIP,
    LONG,
    WANTS_JSON,
    WANTS_OK,
    Case,
)


def _silent(peer: Peer) -> None:
    peer.wait()


def _silent_reset(peer: Peer) -> None:
    peer.reset()


def _asks_to_go_on_and_leaves(peer: Peer) -> None:
    peer.read_request()
    peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")


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
    Case("closed without a response", answers(), "protocol", "without a response"),
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
    Case(
        "gzip at a byte at a time",
        drips(gzip.compress(bytes(1 << 20)), first=GZIP),
        "timeout",
        "body",
    ),
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
    Case("endless interim answers", floods(b"HTTP/1.1 103 \r\n\r\n"), "protocol", "interim"),
    Case(
        "large interim answers",
        floods(b"HTTP/1.1 103 \r\nX: " + b"y" * 9000 + b"\r\n\r\n"),
        "too_large",
    ),
]
