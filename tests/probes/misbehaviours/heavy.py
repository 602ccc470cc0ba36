"""Answers that are little to send and much to read: bombs, documents, texts and heads."""

import gzip
import random
import zlib
from typing import Final

import brotli  # type: ignore[import-untyped]  # it has no types
import zstandard

from tests.probes.hostile import answers, floods, redirect, response
from tests.probes.misbehaviours.case import BEGUN, GZIP, WANTS_JSON, WANTS_OK, Case, encoded

MIB: Final = 1 << 20
SEARCHES: Final = {"json": [{"path": "$..[?@.a == 1]", "exists": True}]}
_SLOW_PATTERN: Final = "(a|b)*a(a|b){400}c"
_SLOW_TEXT: Final = bytes(random.Random(1).choices(b"ab", k=MIB - 99))


def _deflate_bomb(wbits: int) -> bytes:
    """64 MiB of zeros in 64 KiB; 31 makes gzip, 15 deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()


def _brotli_bomb() -> bytes:
    """256 MiB of zeros in 48 KiB."""
    packer = brotli.Compressor(quality=1, lgwin=24)
    pieces: list[bytes] = [*(packer.process(bytes(MIB)) for _ in range(256)), packer.finish()]
    return b"".join(pieces)


def _zstd_bomb() -> bytes:
    """256 MiB of zeros in 8 KiB."""
    packer = zstandard.ZstdCompressor().compressobj()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush()


GZIP_BOMB: Final = _deflate_bomb(31)
BROTLI_BOMB: Final = _brotli_bomb()
ZSTD_BOMB: Final = _zstd_bomb()
BROTLI: Final = BEGUN + b"Content-Encoding: br\r\n\r\n"
WIDE_ZSTD: Final = b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00"

BOMBS = [
    Case("a gzip bomb", answers(encoded("gzip", GZIP_BOMB)), None),
    Case(
        "a gzip bomb, JSON wanted",
        answers(encoded("gzip", GZIP_BOMB)),
        "too_large",
        expect=WANTS_JSON,
    ),
    Case("a deflate bomb", answers(encoded("deflate", _deflate_bomb(15))), None),
    Case(
        "a gzip bomb in a gzip",
        answers(encoded("gzip, gzip", gzip.compress(GZIP_BOMB))),
        None,
    ),
    Case(
        "a brotli bomb in a brotli",
        answers(encoded("br, br", brotli.compress(BROTLI_BOMB))),
        "too_large",
        expect=WANTS_OK,
    ),
    Case("four encodings", answers(encoded(",".join(["gzip"] * 4), GZIP_BOMB)), "protocol"),
    Case("a brotli bomb", answers(encoded("br", BROTLI_BOMB)), None),
    Case(
        "a brotli bomb, a text wanted",
        answers(encoded("br", BROTLI_BOMB)),
        "too_large",
        expect=WANTS_OK,
    ),
    Case("a zstd bomb", answers(encoded("zstd", ZSTD_BOMB)), None),
    Case(
        "a zstd bomb, a text wanted",
        answers(encoded("zstd", ZSTD_BOMB)),
        "too_large",
        expect=WANTS_OK,
    ),
    Case(
        "a zstd window of 1 GiB",
        answers(encoded("zstd", WIDE_ZSTD)),
        "protocol",
        "valid zstd",
    ),
    Case(
        "50,000 zstd frames",
        answers(encoded("zstd", zstandard.compress(b"") * 50_000)),
        "protocol",
        "zstd frames",
        expect=WANTS_OK,
    ),
    Case("a bomb of brotli that goes on", floods(BROTLI_BOMB, first=BROTLI), None),
    Case(
        "random bytes as brotli",
        answers(encoded("br", random.Random(2).randbytes(60_000))),
        "protocol",
        warns=True,
    ),
    Case(
        "gzip that says nothing, endlessly",
        floods(b"\0\0\0\xff\xff" * 999, first=GZIP + gzip.compress(b"")[:10]),
        None,
    ),
    Case(
        "two gzip members",
        answers(encoded("gzip", gzip.compress(b"no") + gzip.compress(b"OK") + bytes(9))),
        None,
        expect=WANTS_OK,
    ),
    Case(
        "50,000 gzip members",
        answers(encoded("gzip", gzip.compress(b"") * 50_000)),
        "protocol",
        "100 gzip members",
        expect=WANTS_OK,
    ),
]
JSON_LIMITER = [
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
        "more than 200000 values",
        expect={"json": [{"path": "$[?@ == 1]", "exists": True}]},
    ),
    Case(
        "JSON of 300,000 lists",
        answers(response(body=b"[" + b"[]," * 300_000 + b"[]]")),
        "json",
        "more than 200000 values",
        expect=SEARCHES,
    ),
    Case(
        "JSON of 300,000 lists in UTF-16",
        answers(response(body=("[" + "[]," * 150_000 + "[]]").encode("utf-16"))),
        "json",
        "more than 200000 values",
        expect=SEARCHES,
    ),
    Case(
        "JSON of 30,000 lists",
        answers(response(body=b"[" + b"[]," * 30_000 + b"[]]")),
        "json",
        "too large or too deep",
        expect=SEARCHES,
    ),
    Case(
        "lists without end that are no JSON",
        answers(response(body=b'{"a":' + b"[]," * 349_000)),
        "json",
        "more than 200000 values",
        expect=WANTS_JSON,
    ),
    Case(
        "JSON with a million commas in its texts",
        answers(response(body=b'{"a": 1, "b": "' + rb",\"[{\\" * 130_000 + b'"}')),
        None,
        expect=WANTS_JSON,
    ),
    Case(
        "JSON with 300,000 empty texts and no commas",
        answers(response(body=b'{"a": ' + b'""' * 300_000)),
        "json",
        "valid JSON",
        expect=WANTS_JSON,
    ),
    Case(
        "JSON with a text that a pattern is slow on",
        answers(response(body=b'{"a": "' + _SLOW_TEXT + b'"}')),
        "json",
        "too large or too deep",
        expect={"json": [{"path": "$.a", "matches": _SLOW_PATTERN}]},
    ),
]
TEXTS = [
    Case(
        "a text that a pattern is slow on",
        answers(response(body=_SLOW_TEXT)),
        "too_large",
        "bytes of the body do not match",
        expect={"body_matches": _SLOW_PATTERN},
    ),
    Case(
        "a charset with a hole for every byte",
        answers(response("Content-Type: a/b; charset=windows-1255", body=b"\xff" * MIB)),
        "body",
        expect=WANTS_OK,
    ),
    Case(
        "UTF-16 of halves of characters",
        answers(response("Content-Type: a/b; charset=utf-16-le", body=b"\0\xd8" * (MIB // 2))),
        "body",
        expect=WANTS_OK,
    ),
]
HEADS = [
    Case("100,000 headers", answers(BEGUN, b"X: y\r\n" * 100_000, b"\r\n"), "too_large", "64 KiB"),
    Case("endless headers", floods(b"X: y\r\n" * 999, first=BEGUN), "too_large", "64 KiB"),
    Case("one header of 1 MB", answers(BEGUN + b"X: " + b"y" * 1_000_000), "too_large", "64 KiB"),
    Case("one status line of 1 MB", answers(b"HTTP/1.1 200 " + b"y" * 1_000_000), "too_large"),
    Case("a folded header of 1 MB", answers(BEGUN + b" y\r\n" * 250_000), "too_large", "64 KiB"),
    Case("10,000 times the same header", answers(BEGUN, b"X: y\r\n" * 10_000, b"\r\n"), None),
    Case(
        "a location of 30,000 accents",
        answers(redirect("//a" + ("\u0301\u0323" * 15_000).encode().decode("latin-1"))),
        "blocked",
        "longer than 16384",
    ),
]
