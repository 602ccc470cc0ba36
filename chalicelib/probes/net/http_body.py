"""Response bodies: framing (RFC 9112, 6) and size limits."""

import re
from collections.abc import Iterator
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.content_coding import MAX_OVERHEAD, decoder
from chalicelib.probes.net.http1 import Head
from chalicelib.probes.net.stream import ResponseStream

_CHUNK_SIZE: Final = re.compile(rb"[ \t]*0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_PLAIN_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_MAX_CHUNK_LINE: Final = 4096
_MAX_CHUNKS: Final = 20_000  # limits the CPU time spent on a body sent in tiny chunks
_MAX_TRAILERS: Final = 64 * 1024
_COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress"})
_NO_BODY: Final = frozenset({204, 304})
_WHAT: Final = "the body"


class Body:
    """The decoded body of a response, read up to a limit.

    After `read`, `complete` tells whether the body ended within the limit.
    """

    def __init__(self, stream: ResponseStream, head: Head, method: str) -> None:
        self._stream = stream
        self._buffer, self._at = head.rest, 0
        self._decoder = decoder(part.strip() for part in _tokens(head, "content-encoding"))
        self._pieces = self._unframe(head, method)
        self.complete = False

    @property
    def warning(self) -> str | None:
        """What was wrong with the content encoding, although the body could be read."""
        return self._decoder.warning if self._decoder else None

    def read(self, limit: int) -> bytes:
        """Return at most `limit` decoded bytes; raise CheckFailure on a broken body."""
        parts: list[bytes] = []
        size = received = 0
        for piece in self._pieces:
            received += len(piece)
            decoded = self._decoder.feed(piece, limit + 1 - size) if self._decoder else piece
            parts.append(decoded)
            size += len(decoded)
            if size > limit or received > limit + MAX_OVERHEAD:
                break
        else:
            self.complete = True
        if self._decoder:
            deadline = self._stream.deadline
            rest = self._decoder.finish(limit + 1, complete=self.complete, deadline=deadline)
            parts.append(rest)
            size += len(rest)
        self.complete = self.complete and size <= limit
        return b"".join(parts)[:limit]

    def _unframe(self, head: Head, method: str) -> Iterator[bytes]:
        if method == "HEAD" or head.status in _NO_BODY:
            return iter(())
        codings = {part.strip() for part in _tokens(head, "transfer-encoding")}
        if codings & _COMPRESSIONS:
            raise CheckFailure(Reason.PROTOCOL, "the transfer encoding is not supported")
        if "chunked" in codings:
            return self._chunked()
        length = _content_length(head)
        return self._until_closed() if length is None else self._exactly(length)

    def _until_closed(self) -> Iterator[bytes]:
        if self._buffer:
            yield self._buffer
            self._buffer = b""
        while piece := self._stream.receive(_WHAT):
            yield piece

    def _exactly(self, length: int) -> Iterator[bytes]:
        left = length
        while left:
            piece = self._take(left) or self._stream.receive(_WHAT)[:left]
            if not piece:
                text = f"the body ended after {length - left} of {length} bytes"
                raise CheckFailure(Reason.PROTOCOL, text)
            left -= len(piece)
            yield piece

    def _chunked(self) -> Iterator[bytes]:
        for _ in range(_MAX_CHUNKS):
            if chunk := self._buffered_chunk():
                yield chunk
                continue
            if not (left := self._chunk_size()):
                self._skip_trailers()
                return
            while left:
                if piece := self._take(left):
                    left -= len(piece)
                    yield piece
                else:
                    self._fill()
            if self._line(2).strip(b"\r\n"):
                raise CheckFailure(Reason.PROTOCOL, "a chunk of the body has a wrong length")
        raise CheckFailure(Reason.PROTOCOL, f"more than {_MAX_CHUNKS} chunks in the body")

    def _buffered_chunk(self) -> bytes:
        """Return the next chunk if all of it is buffered: a fast path for many small chunks."""
        if found := _PLAIN_CHUNK.match(self._buffer, self._at):
            start, size = found.end(), int(found[1], 16)
            if size and self._buffer[start + size : start + size + 2] == b"\r\n":
                self._at = start + size + 2
                return self._buffer[start : start + size]
        return b""

    def _skip_trailers(self) -> None:
        """Skip what follows the last chunk; it may be missing."""
        trailers = 0
        while line := self._line(_MAX_CHUNK_LINE, end=b"\n").strip(b"\r\n"):
            trailers += len(line)
            if trailers > _MAX_TRAILERS:
                raise CheckFailure(Reason.TOO_LARGE, "the trailers are too long")

    def _chunk_size(self) -> int:
        found = _CHUNK_SIZE.fullmatch(self._line(_MAX_CHUNK_LINE))
        if found is None:
            raise CheckFailure(Reason.PROTOCOL, "the chunked encoding of the body is malformed")
        return int(found[1], 16)

    def _line(self, limit: int, end: bytes = b"") -> bytes:
        """Return bytes up to and including a line feed, or `limit` bytes without one.

        `end` stands for the bytes that are missing if the connection is closed.
        """
        while (found := self._buffer.find(b"\n", self._at)) < 0:
            if len(self._buffer) - self._at >= limit:
                return self._take(limit)
            self._fill(end)
        return self._take(found + 1 - self._at)

    def _take(self, size: int) -> bytes:
        """Return at most `size` bytes from the buffer."""
        piece = self._buffer[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _fill(self, end: bytes = b"") -> None:
        received = self._stream.receive(_WHAT) or end
        if not received:
            raise CheckFailure(Reason.PROTOCOL, "the body ended before its last chunk")
        self._buffer, self._at = self._buffer[self._at :] + received, 0


def _content_length(head: Head) -> int | None:
    """Return the length of the body, None if it lasts until the connection is closed.

    Browsers ignore a length that is not a number too.
    """
    values = {part.strip() for part in _tokens(head, "content-length")}
    if len(values) > 1:
        raise CheckFailure(Reason.PROTOCOL, "the response has two content lengths")
    text = values.pop() if values else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _tokens(head: Head, name: str) -> list[str]:
    return ",".join(head.values(name)).lower().split(",")
