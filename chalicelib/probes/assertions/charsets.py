"""Decode bodies as browsers do: BOM, header, `<meta>`, then valid UTF-8, else windows-1252.

Labels mean what the Encoding standard says: `iso-8859-1` is windows-1252, `gb2312` is GBK.
"""

import codecs
import contextlib
import re
from functools import cache
from types import MappingProxyType
from typing import Final

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UNDECLARED: Final = "cp1252"
_PRESCAN: Final = 1024
# Only codecs for text that take linear time; "idna" for example does neither.
_SINGLE_BYTE: Final = frozenset(
    {f"iso8859-{part}" for part in range(1, 17)}
    | {f"cp{page}" for page in (437, 850, 852, 866, 874, *range(1250, 1259))}
    | {"koi8-r", "koi8-u"}
)
_UTF_16: Final = MappingProxyType(
    {"utf-16-le": codecs.utf_16_le_decode, "utf-16-be": codecs.utf_16_be_decode}
)
_CHARSETS: Final = (
    _SINGLE_BYTE
    | _UTF_16.keys()
    | {"utf-8", "gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "iso2022_jp"}
)
# Python's names of charsets that browsers read as larger ones, and labels that Python lacks.
_MEANS: Final = MappingProxyType(
    {
        "ascii": "cp1252",
        "iso8859-1": "cp1252",
        "iso8859-9": "cp1254",
        "iso8859-11": "cp874",
        "tis-620": "cp874",
        "gb2312": "gb18030",
        "gbk": "gb18030",
        "big5": "big5hkscs",
        "shift_jis": "cp932",
        "x-sjis": "cp932",
        "x-gbk": "gb18030",
        "euc_kr": "cp949",
        "x-euc-jp": "euc_jp",
        "utf-16": "utf-16-le",
        "unicode": "utf-16-le",
    }
)
_IN_HEADER: Final = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_COMMENT: Final = re.compile(rb"<!--.*?-->", re.DOTALL)
_META: Final = re.compile(rb"<meta[\s/][^>]*?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_XML: Final = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"'>]+)", re.IGNORECASE)


def decode(body: bytes, content_type: str, *, truncated: bool = False) -> str:
    """Return a body as text, with replacement characters for bytes that its charset lacks.

    `truncated` means that the body may end within a character.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return decode_as(body[len(bom) :], name)
    charset = declared_charset(body, content_type)
    if charset:
        return decode_as(body, charset)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = truncated and error.end == len(body) and error.reason == "unexpected end of data"
        return decode_as(body, "utf-8" if is_cut else _UNDECLARED)


def declared_charset(body: bytes, content_type: str) -> str | None:
    """Return Python's name of the charset in the header or the document, None if none is known."""
    found = _IN_HEADER.search(content_type)
    if found and (name := _known(found[1])):
        return name
    if "ml" not in content_type and content_type:  # neither HTML nor XML
        return None
    head = _COMMENT.sub(b"", body[:_PRESCAN])
    inside = _XML.match(head) or _META.search(head)
    name = _known(inside[1].decode("latin-1")) if inside else None
    # A document whose declaration can be read as ASCII is not in UTF-16.
    return "utf-8" if name in _UTF_16 else name


def _known(label: str) -> str | None:
    label = label.lower()
    with contextlib.suppress(LookupError, ValueError):
        label = codecs.lookup(label).name
    name = _MEANS.get(label, label)
    return name if name in _CHARSETS else None


def decode_as(body: bytes, charset: str) -> str:
    """Decode with replacement characters, in a time that does not depend on the bytes.

    `bytes.decode` with a single-byte codec calls the error handler for each invalid byte, which
    takes 0.5 s per MiB; a table of replacements does not.
    """
    if charset in _SINGLE_BYTE:
        return codecs.charmap_decode(body, "replace", _table(charset))[0]
    if charset in _UTF_16:
        try:
            return _UTF_16[charset](body)[0]  # accepts a body cut off within a character
        except UnicodeDecodeError:
            charset = "utf-8"
    return body.decode(charset, "replace")


@cache
def _table(charset: str) -> str:
    return bytes(range(256)).decode(charset, "replace")
