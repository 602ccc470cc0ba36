"""The HTTP parser with anything: an answer or a refusal, however it is cut."""

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.http1 import MAX_HEAD, MAX_INTERIM, read_head, request_bytes
from chalicelib.probes.net.http_body import Body

GZIPPED = gzip.compress(b"OK")


class FakeWire:
    """Gives the bytes of a server piece by piece."""

    deadline = 1e9

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter([piece for piece in pieces if piece])

    def receive(self, what: str, size: int = 0) -> bytes:
        del what, size
        return next(self._pieces, b"")


def exchange(pieces: list[bytes], limit: int = 1000) -> tuple[int, bytes, bool]:
    wire: Any = FakeWire(pieces)
    head = read_head(wire, Attempt(deadline=1e18))
    body = Body(wire, head, "GET")
    return head.status, body.read(limit), body.complete


http_like = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"HTTP/1.1 200 OK\r\n",
                b"HTTP/1.1 100 \r\n\r\n",
                b"Content-Length: 5\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Content-Encoding: gzip\r\n",
                b"Content-Encoding: deflate\r\n",
                b"\r\n",
                b"\n",
                b"5\r\nhello\r\n",
                b"0\r\n\r\n",
                zlib.compress(b"hello"),
            ]
        ),
    ),
    max_size=12,
)


@given(http_like)
def test_no_bytes_upset_the_http_parser(pieces: list[bytes]) -> None:
    with contextlib.suppress(CheckFailure):
        status, body, _ = exchange([b"HTTP/1.1 200 \r\n", *pieces])
        assert 200 <= status <= 999
        assert len(body) <= 1000


@given(st.data(), st.binary(max_size=200), st.sampled_from(["length", "chunked", "close"]))
def test_an_answer_is_the_same_however_it_is_cut(
    data: st.DataObject, body: bytes, framing: str
) -> None:
    head, framed = {
        "length": (b"Content-Length: %d\r\n" % len(body), body),
        "chunked": (b"Transfer-Encoding: chunked\r\n", _chunks(body)),
        "close": (b"", body),
    }[framing]
    whole = b"HTTP/1.1 103 x\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\n" + head + b"\r\n" + framed
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert exchange(pieces) == (200, body, True)
    assert exchange(pieces, limit=10)[1] == body[:10]


@given(st.data(), st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_gzip_may_have_members(data: st.DataObject, members: list[bytes]) -> None:
    body = b"".join(map(gzip.compress, members)) + data.draw(st.sampled_from([b"", bytes(9)]))
    whole = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + body
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert exchange(pieces) == (200, b"".join(members), True)
    assert exchange(pieces, limit=10)[1] == b"".join(members)[:10]


@pytest.mark.parametrize(
    "body", [GZIPPED[:-1], GZIPPED + b"\x1f\x8b\x08"], ids=["its end", "another member"]
)
def test_gzip_cut_short_is_broken(body: bytes) -> None:
    with pytest.raises(CheckFailure, match="valid gzip"):
        exchange([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", body])


def _chunks(body: bytes) -> bytes:
    """Return a body in chunks, every other with an extension, with or without trailers."""
    parts = [body[at : at + 7] for at in range(0, len(body), 7)]
    sizes = [b"%x%s" % (len(part), b";x=y" * (place % 2)) for place, part in enumerate(parts)]
    chunks = [b"%s\r\n%s\r\n" % pair for pair in zip(sizes, parts, strict=True)]
    return b"".join(chunks) + b"0\r\n" + b"T: x\r\n" * (len(body) % 2) + b"\r\n"


@given(st.text(), st.text(), st.text())
def test_a_request_has_the_headers_it_was_given(method: str, name: str, value: str) -> None:
    with contextlib.suppress(CheckFailure):
        request = request_bytes(method, "/", [(name, value)], b"")
        assert request.count(b"\r\n") == 3
        assert request.endswith(b"\r\n\r\n")
        assert b"\0" not in request


@pytest.mark.parametrize(("many", "fits"), [(MAX_INTERIM, True), (MAX_INTERIM + 1, False)])
def test_there_are_so_many_interim_answers(many: int, fits: bool) -> None:
    answer = [b"HTTP/1.1 103 \r\n\r\n"] * many + [b"HTTP/1.1 204 \r\n\r\n"]
    if fits:
        assert exchange(answer)[0] == 204
    else:
        with pytest.raises(CheckFailure, match="more than 16 interim"):
            exchange(answer)


@pytest.mark.parametrize("line", ["X:a b", "X: \ta b \t", "X: a\r\n b", "X: a\r\n\t b", "X: a\n b"])
def test_a_value_has_no_space_around_it_and_may_be_folded(line: str) -> None:
    wire: Any = FakeWire([f"HTTP/1.1 200 OK\r\n{line}\r\nY: z\r\n\r\n".encode()])
    head = read_head(wire, Attempt(deadline=1e18))
    assert head.headers == [("x", "a b"), ("y", "z")]


@pytest.mark.parametrize(("size", "fits"), [(MAX_HEAD, True), (MAX_HEAD + 1, False)])
def test_a_head_has_a_largest_size(size: int, fits: bool) -> None:
    start, end = b"HTTP/1.1 200 OK\r\nX: ", b"\r\nContent-Length: 0\r\n\r\n"
    head = start + b"y" * (size - len(start) - len(end)) + end
    if fits:
        assert exchange([head])[0] == 200
    else:
        with pytest.raises(CheckFailure, match="64 KiB"):
            exchange([head])
