"""Response bodies: framing (RFC 9112, 6), content encodings and size limits."""

import re
import zlib
from collections.abc import Iterator
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.http1 import Head
from chalicelib.probes.net.stream import Stream

_CHUNK_SIZE: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_PLAIN_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_MAX_CHUNK_LINE: Final = 4096
_MAX_CHUNKS: Final = 20_000  # limits the CPU time spent on a body sent in tiny chunks
_GZIP_FIRST_BYTE: Final = 0x1F
_MAX_GZIP_MEMBERS: Final = 100
_MAX_OVERHEAD: Final = 1024  # bytes that an encoding may add to a body it does not shrink
_MAX_TRAILERS: Final = 64 * 1024
_NO_BODY: Final = frozenset({204, 304})
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_WHAT: Final = "the body"


class Body:
    """The decoded body of a response, read up to a limit.

    After `read`, `complete` tells whether the body ended within the limit.
    """

    def __init__(self, stream: Stream, head: Head, method: str) -> None:
        self._stream = stream
        self._buffer, self._at = head.rest, 0
        self._decoder = _decoder(head)
        self._pieces = self._unframe(head, method)
        self.complete = False

    def read(self, limit: int) -> bytes:
        """Return at most `limit` decoded bytes; raise CheckFailure on a broken body."""
        parts: list[bytes] = []
        size = received = 0
        for piece in self._pieces:
            received += len(piece)
            decoded = self._decoder.feed(piece, limit + 1 - size) if self._decoder else piece
            parts.append(decoded)
            size += len(decoded)
            if size > limit or received > limit + _MAX_OVERHEAD:
                return b"".join(parts)[:limit]
        self.complete = True
        if self._decoder:
            self._decoder.finish(received)
        return b"".join(parts)

    def _unframe(self, head: Head, method: str) -> Iterator[bytes]:
        if method == "HEAD" or head.status in _NO_BODY:
            return iter(())
        coding = ",".join(head.values("transfer-encoding")).strip().lower()
        if coding == "chunked":
            return self._chunked()
        if coding and coding != "identity":
            raise CheckFailure(Reason.PROTOCOL, "the transfer encoding is not supported")
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
        trailers = 0
        while line := self._line(_MAX_CHUNK_LINE).strip(b"\r\n"):
            trailers += len(line)
            if trailers > _MAX_TRAILERS:
                raise CheckFailure(Reason.TOO_LARGE, "the trailers are too long")

    def _chunk_size(self) -> int:
        found = _CHUNK_SIZE.fullmatch(self._line(_MAX_CHUNK_LINE))
        if found is None:
            raise CheckFailure(Reason.PROTOCOL, "the chunked encoding of the body is malformed")
        return int(found[1], 16)

    def _line(self, limit: int) -> bytes:
        """Return bytes up to and including a line feed, or `limit` bytes without one."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if len(self._buffer) - self._at >= limit:
                return self._take(limit)
            self._fill()
        return self._take(end + 1 - self._at)

    def _take(self, size: int) -> bytes:
        """Return at most `size` bytes from the buffer."""
        piece = self._buffer[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _fill(self) -> None:
        received = self._stream.receive(_WHAT)
        if not received:
            raise CheckFailure(Reason.PROTOCOL, "the body ended before its last chunk")
        self._buffer, self._at = self._buffer[self._at :] + received, 0


class _Decoder:
    """Decodes gzip or deflate, never more than the given limit (decompression bombs)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._started = False
        self._members = 1
        self._padding = False

    def feed(self, data: bytes, limit: int) -> bytes:
        decoded = b""
        while data and len(decoded) < limit and not self._padding:
            if self._zlib.eof and not self._next_member(data):
                break
            decoded += self._inflate(data, limit - len(decoded))
            data = self._zlib.unused_data
        return decoded

    def _next_member(self, data: bytes) -> bool:
        """Start the next gzip member (RFC 1952, 2.2); return False if only padding follows."""
        if self._name == "deflate" or data[0] != _GZIP_FIRST_BYTE:
            self._padding = True
            return False
        self._members += 1
        if self._members > _MAX_GZIP_MEMBERS:
            raise CheckFailure(Reason.PROTOCOL, f"more than {_MAX_GZIP_MEMBERS} gzip members")
        self._zlib, self._started = zlib.decompressobj(_GZIP_OR_ZLIB), False
        return True

    def _inflate(self, data: bytes, limit: int) -> bytes:
        try:
            decoded = self._zlib.decompress(data, limit)
        except zlib.error:
            if self._started or self._name != "deflate":
                raise self._broken() from None
            # Some servers send deflate without the zlib header that RFC 9110 requires.
            self._started = True
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inflate(data, limit)
        self._started = True
        return decoded

    def finish(self, received: int) -> None:
        if received and not self._zlib.eof:
            raise self._broken()

    def _broken(self) -> CheckFailure:
        return CheckFailure(Reason.PROTOCOL, f"the body is not valid {self._name}")


def _decoder(head: Head) -> _Decoder | None:
    """Return the decoder of a body, None if it is not encoded; raise CheckFailure."""
    names = ",".join(head.values("content-encoding")).lower().split(",")
    encodings = [name.strip() for name in names if name.strip() not in {"", "identity"}]
    if not encodings:
        return None
    if len(encodings) > 1:
        raise CheckFailure(Reason.PROTOCOL, "the body has more than one content encoding")
    if encodings[0] not in {"gzip", "x-gzip", "deflate"}:
        raise CheckFailure(
            Reason.PROTOCOL, "the body has a content encoding that was not requested"
        )
    return _Decoder(encodings[0])


def _content_length(head: Head) -> int | None:
    values = {part.strip() for value in head.values("content-length") for part in value.split(",")}
    if not values:
        return None
    text = values.pop()
    if values or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise CheckFailure(Reason.PROTOCOL, "the content length is not valid")
    return int(text)
