"""Content encodings that were not asked for, that do not exist, or that are not true."""

import gzip
import zlib

import brotli  # type: ignore[import-untyped]  # it has no types
import zstandard

from tests.probes.hostile import answers, response
from tests.probes.quirks.case import Quirk

PAGE = b"<p>" + b"All is well. " * 50 + b"OK</p>"
ZSTD = zstandard.ZstdCompressor()


def deflated(data: bytes, wbits: int = -15) -> bytes:
    """Return deflate without the zlib header, unless `wbits` are those of another format."""
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(data) + packer.flush()


def streamed(data: bytes) -> bytes:
    """Return zstd that does not announce the size of its content."""
    packer = ZSTD.compressobj()
    return bytes(packer.compress(data) + packer.flush())


def encoded(encoding: str, body: bytes) -> bytes:
    """Return a page in an encoding."""
    return response("Content-Type: text/html", f"Content-Encoding: {encoding}", body=body)


ENCODINGS = [
    Quirk("gzip", answers(encoded("gzip", gzip.compress(PAGE)))),
    Quirk("x-gzip", answers(encoded("x-gzip", gzip.compress(PAGE)))),
    Quirk("GZIP in capitals", answers(encoded("GZIP", gzip.compress(PAGE)))),
    Quirk("deflate with zlib", answers(encoded("deflate", zlib.compress(PAGE)))),
    Quirk("deflate without zlib", answers(encoded("deflate", deflated(PAGE)))),
    Quirk(
        "deflate that is gzip",
        answers(encoded("deflate", gzip.compress(PAGE))),
        more_lenient="it is plain what it is",
    ),
    Quirk(
        "gzip that is deflate",
        answers(encoded("gzip", zlib.compress(PAGE))),
        more_lenient="curl shows it",
    ),
    Quirk("brotli", answers(encoded("br", brotli.compress(PAGE)))),
    Quirk("zstd", answers(encoded("zstd", ZSTD.compress(PAGE)))),
    Quirk("zstd without its size", answers(encoded("zstd", streamed(PAGE)))),
    Quirk(
        "two zstd frames",
        answers(encoded("zstd", ZSTD.compress(b"<p>All") + ZSTD.compress(b" OK"))),
    ),
    Quirk(
        "bytes after brotli",
        answers(encoded("br", brotli.compress(PAGE) + b"more")),
        "body",
        "labelled",
        stricter="the library does not decode it, and curl does not show it",
    ),
    Quirk("bytes after gzip", answers(encoded("gzip", gzip.compress(PAGE) + b"more"))),
    Quirk(
        "bytes after zstd",
        answers(encoded("zstd", ZSTD.compress(PAGE) + b"more")),
        more_lenient="all of the page has arrived",
    ),
    Quirk(
        "gzip without its checksum",
        answers(encoded("gzip", gzip.compress(PAGE)[:-8])),
        reason="protocol",
        stricter="the page may be damaged",
    ),
    Quirk(
        "gzip with a false checksum",
        answers(encoded("gzip", gzip.compress(PAGE)[:-8] + bytes(8))),
        reason="protocol",
        stricter="the page may be damaged",
    ),
    Quirk(
        "gzip cut short",
        answers(encoded("gzip", gzip.compress(PAGE + bytes(range(256)))[:-99])),
        "protocol",
        stricter="the page is not complete",
    ),
    Quirk(
        "brotli cut short",
        answers(encoded("br", brotli.compress(PAGE + bytes(range(256)))[:-99])),
        "protocol",
        stricter="the page is not complete",
    ),
    Quirk(
        "zstd cut short",
        answers(encoded("zstd", ZSTD.compress(PAGE + bytes(range(256)))[:-99])),
        "protocol",
    ),
    Quirk("gzip twice", answers(encoded("gzip, gzip", gzip.compress(gzip.compress(PAGE))))),
    Quirk("gzip in brotli", answers(encoded("gzip, br", brotli.compress(gzip.compress(PAGE))))),
    Quirk(
        "gzip announced twice",
        answers(
            response("Content-Encoding: gzip", "Content-Encoding: gzip", body=gzip.compress(PAGE))
        ),
        reason="protocol",
        says="labelled",
        warns=True,
        more_lenient="the text can be read, with a warning",
    ),
    Quirk("identity", answers(encoded("identity", PAGE))),
    Quirk("none", answers(encoded("none", PAGE))),
    Quirk("an empty encoding", answers(encoded("", PAGE))),
    Quirk("utf-8", answers(encoded("utf-8", PAGE)), reason="protocol", says="unknown", warns=True),
    Quirk(
        "text/html",
        answers(encoded("text/html", PAGE)),
        reason="protocol",
        says="unknown",
        warns=True,
    ),
    Quirk(
        "an unknown encoding",
        answers(encoded("lzma", PAGE)),
        reason="protocol",
        says="unknown",
        warns=True,
    ),
    Quirk(
        "an unknown encoding and gzip",
        answers(encoded("utf-8, gzip", gzip.compress(PAGE))),
        reason="body",
    ),
    Quirk(
        "gzip that is text",
        answers(encoded("gzip", PAGE)),
        reason="protocol",
        says="labelled",
        warns=True,
        more_lenient="the text can be read, with a warning",
    ),
    Quirk(
        "deflate that is text",
        answers(encoded("deflate", PAGE)),
        reason="protocol",
        says="labelled",
        warns=True,
        more_lenient="the text can be read, with a warning",
    ),
    Quirk(
        "brotli that is text",
        answers(encoded("br", PAGE)),
        reason="protocol",
        says="labelled",
        warns=True,
        more_lenient="the text can be read, with a warning",
    ),
    Quirk(
        "zstd that is text",
        answers(encoded("zstd", PAGE)),
        reason="protocol",
        says="labelled",
        warns=True,
        more_lenient="the text can be read, with a warning",
    ),
    Quirk("gzip of nothing", answers(encoded("gzip", b"")), "body"),
    Quirk("brotli of nothing", answers(encoded("br", b"")), "body"),
    Quirk("zstd of nothing", answers(encoded("zstd", b"")), "body"),
]
