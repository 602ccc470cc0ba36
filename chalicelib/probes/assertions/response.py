"""What a probe observed of a target: the input of the assertions."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

# Only codecs for text that take linear time; "idna" for example does neither.
_SINGLE_BYTE: Final = frozenset(
    {f"iso8859-{part}" for part in range(1, 17)}
    | {f"cp{page}" for page in (437, 850, 852, 866, 874, *range(1250, 1259))}
    | {"koi8-r", "koi8-u"}
)
_UTF_16: Final = {
    "utf-16": codecs.utf_16_decode,
    "utf-16-le": codecs.utf_16_le_decode,
    "utf-16-be": codecs.utf_16_be_decode,
}
_CHARSETS: Final = (
    _SINGLE_BYTE
    | _UTF_16.keys()
    | {"utf-8", "ascii", "gbk", "gb2312", "gb18030", "big5", "cp932", "cp949"}
    | {"shift_jis", "euc_jp", "euc_kr", "iso2022_jp"}
)


@dataclass(slots=True)
class Observation:
    """A response; each kind of check fills in what it has.

    `truncated` means that the body is longer than `body`. `mismatch` describes how DNS records
    differ from the expected ones.
    """

    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncated: bool = False
    mismatch: str | None = None


def body_text(observation: Observation) -> str:
    """Return the body as text, decoded by its charset if that is a common one, else as UTF-8."""
    charset = "utf-8"
    for parameter in observation.headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip(" \t\"'")
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = "utf-8"
    return _decode(observation.body, name if name in _CHARSETS else "utf-8")


def _decode(body: bytes, charset: str) -> str:
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
