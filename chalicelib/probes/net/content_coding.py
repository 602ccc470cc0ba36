"""Content encodings (RFC 9110, 8.4): gzip, deflate, br and zstd, never beyond a limit.

gzip and deflate are decoded as they arrive. A decoder of br may take 30 MiB, so br, zstd and
encodings in one another are decoded when all of the body has arrived, one body at a time.
"""

import importlib
import sys
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from chalicelib.monitoring.result import Reason
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.redaction import quoted
from chalicelib.probes.work_limiter import DECODING_LIMITER

OFFERED: Final = "gzip, deflate, br, zstd"
MAX_CODINGS: Final = 3
MAX_OVERHEAD: Final = 1024  # bytes that an encoding may add to a body it does not shrink
_NONE: Final = frozenset({"", "identity", "none"})
_STREAMED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_FIRST_BYTE: Final = 0x1F
_MAX_MEMBERS: Final = 100
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_INNER_LIMIT: Final = 1024 * 1024 + MAX_OVERHEAD
_PIECE: Final = 4096
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW_LOG: Final = 23  # 8 MiB (RFC 9659)


class Decoder(Protocol):
    """Decodes a body. `warning` tells what was wrong with its encoding, None if nothing was."""

    warning: str | None

    def feed(self, data: bytes, limit: int) -> bytes:
        """Take received bytes; return decoded ones, at most `limit` unless they are as received."""

    def finish(self, limit: int, *, complete: bool, deadline: float) -> bytes:
        """Return the rest when `complete`, or enough, has been received; raise CheckFailure."""


def decoder(names: Iterable[str]) -> Decoder | None:
    """Return the decoder of the named encodings, None if there are none; raise CheckFailure.

    Nothing is decoded if a name is unknown, as in browsers.
    """
    codings = [name for name in names if name not in _NONE]
    if not codings:
        return None
    for name in codings:
        if name not in _DECODERS:
            return _AsIs(f"the content encoding {quoted(name)} is unknown")
    if len(codings) > MAX_CODINGS:
        text = f"the body has more than {MAX_CODINGS} content encodings"
        raise CheckFailure(Reason.PROTOCOL, text)
    return (
        _Inflater(codings[0]) if codings[0] in _STREAMED and len(codings) == 1 else _Late(codings)
    )


class _AsIs:
    """Decodes nothing."""

    def __init__(self, warning: str) -> None:
        self.warning: str | None = warning

    def feed(self, data: bytes, limit: int) -> bytes:
        del limit
        return data

    def finish(self, limit: int, *, complete: bool, deadline: float) -> bytes:
        del limit, complete, deadline
        return b""


class _Inflater:
    """Decodes gzip or deflate as it arrives."""

    def __init__(self, name: str) -> None:
        self.warning: str | None = None
        self._name = name
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._started = False
        self._members = 1
        self._padding = False
        self._received: list[bytes] | None = []  # until something could be decoded

    def feed(self, data: bytes, limit: int) -> bytes:
        if self.warning:
            return data
        if self._received is not None:
            self._received.append(data)
        try:
            decoded = self._decode(data, limit)
        except zlib.error:
            received = b"".join(self._received or ())
            if self._received is None or _has_header(received):
                raise broken(self._name) from None
            self.warning = false_label(self._name)
            return received
        if decoded:
            self._received = None
        return decoded

    def _decode(self, data: bytes, limit: int) -> bytes:
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
        self._received = None
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise CheckFailure(Reason.PROTOCOL, f"more than {_MAX_MEMBERS} gzip members")
        self._zlib, self._started = zlib.decompressobj(_GZIP_OR_ZLIB), False
        return True

    def _inflate(self, data: bytes, limit: int) -> bytes:
        try:
            decoded = self._zlib.decompress(data, limit)
        except zlib.error:
            if self._started or self._name != "deflate":
                raise
            # Some servers send deflate without the zlib header that RFC 9110 requires.
            self._started = True
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inflate(data, limit)
        self._started = True
        return decoded

    def finish(self, limit: int, *, complete: bool, deadline: float) -> bytes:
        del limit, deadline
        if complete and self._started and not self._zlib.eof and not self.warning:
            raise broken(self._name)
        return b""


class _Late:
    """Decodes all of a body at its end."""

    def __init__(self, names: Sequence[str]) -> None:
        self.warning: str | None = None
        self._names = names
        self._received: list[bytes] = []

    def feed(self, data: bytes, limit: int) -> bytes:
        del limit
        self._received.append(data)
        return b""

    def finish(self, limit: int, *, complete: bool, deadline: float) -> bytes:
        data = b"".join(self._received)
        with DECODING_LIMITER.enter(deadline):
            for place, name in enumerate(reversed(self._names), 1):
                most = limit if place == len(self._names) else _INNER_LIMIT
                try:
                    decoded, ended = _DECODERS[name](data, most)
                except _Broken:
                    self.warning = false_label(name)
                    return data
                if complete and not ended and len(decoded) < most:
                    raise broken(name)
                data, complete = decoded, complete and ended
        return data


class _Broken(Exception):
    """The bytes do not even begin with the encoding."""


def _inflated(name: str) -> Callable[[bytes, int], tuple[bytes, bool]]:
    def decode(data: bytes, limit: int) -> tuple[bytes, bool]:
        inflater = _Inflater(name)
        decoded = inflater.feed(data, limit)
        if inflater.warning:
            raise _Broken
        inflater.finish(limit, complete=len(decoded) < limit, deadline=0)
        return decoded, len(decoded) < limit

    return decode


def _unbrotli(data: bytes, limit: int) -> tuple[bytes, bool]:
    import brotli  # type: ignore[import-untyped]  # noqa: PLC0415 - few bodies need it

    if not data:
        return b"", True
    machine, parts = brotli.Decompressor(), []
    size = at = 0
    try:
        while size < limit and not machine.is_finished():
            piece = data[at : at + _PIECE] if machine.can_accept_more_data() else b""
            at += len(piece)
            parts.append(machine.process(piece, output_buffer_limit=limit - size))
            size += len(parts[-1])
            if not piece and not parts[-1]:
                break
    except brotli.error:
        if not size:
            raise _Broken from None
        raise broken("br") from None
    return b"".join(parts)[:limit], bool(machine.is_finished())


def _unzstd(data: bytes, limit: int) -> tuple[bytes, bool]:
    # Part of Python since 3.14.
    path = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    zstd = importlib.import_module(path)
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    parts: list[bytes] = []
    size, ended = 0, True
    for _ in range(_MAX_MEMBERS):
        if size >= limit or (parts and not data.startswith(_ZSTD_MAGIC)) or not data:
            return b"".join(parts), ended
        machine = zstd.ZstdDecompressor(options=options)
        try:
            parts.append(machine.decompress(data, max_length=limit - size))
        except zstd.ZstdError:
            if not parts and not data.startswith(_ZSTD_MAGIC):
                raise _Broken from None
            raise broken("zstd") from None
        size += len(parts[-1])
        ended, data = machine.eof, machine.unused_data
    raise CheckFailure(Reason.PROTOCOL, f"more than {_MAX_MEMBERS} zstd frames")


_DECODERS: Final[Mapping[str, Callable[[bytes, int], tuple[bytes, bool]]]] = MappingProxyType(
    {
        "gzip": _inflated("gzip"),
        "x-gzip": _inflated("gzip"),
        "deflate": _inflated("deflate"),
        "br": _unbrotli,
        "zstd": _unzstd,
    }
)


def _has_header(data: bytes) -> bool:
    """Whether bytes begin like gzip or zlib."""
    is_zlib = data[:1] == b"\x78" and int.from_bytes(data[:2], "big") % 31 == 0
    return is_zlib or data.startswith(b"\x1f\x8b")


def broken(name: str) -> CheckFailure:
    """Return the failure of a body that begins with an encoding and does not end with it."""
    return CheckFailure(Reason.PROTOCOL, f"the body is not valid {name}")


def false_label(name: str) -> str:
    """Return the warning about a body that is not encoded as its header says."""
    return f"the body is labelled as {name}, but it is not"
