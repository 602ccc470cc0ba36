"""Clean error texts: one printable line of at most 200 characters, without secrets.

A server may echo what it was sent: in part, encoded, or in another case. So every run of eight
characters of a secret is masked, in each form that it can be sent in.
"""

import base64
import html
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from chalicelib.common.url_keys import keys_in, mask_keys

MAX_ERROR: Final = 200
MIN_RUN: Final = 8
"""The length of the runs that are masked. What a cut leaves of a longer secret is shorter."""
_MASK: Final = "***"
_MAX_QUOTE: Final = 60
_MIN_SECRET: Final = 4
_MAX_TEXT: Final = 2_000
_ESCAPE: Final = re.compile(
    r"(?P<percent>(?:%[0-9a-fA-F]{2})+)|(?P<json>\\u[0-9a-fA-F]{4}|\\[\"\\/bfnrt])"
    r"|(?P<html>&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});)"
)
_JSON_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
Span = tuple[int, int]


def quoted(value: object) -> str:
    """Return a value in quotes, truncated to a readable length."""
    text = mask_keys(value if isinstance(value, str) else str(value))
    cut = text if len(text) <= _MAX_QUOTE else f"{text[: _MAX_QUOTE - 1]}…"
    return f'"{cut}"'


def clean(text: str, secrets: Mapping[str, Any], url: str = "") -> str:
    """Return an error text that is safe to store and show: redacted, printable, truncated.

    Keys in any URL are masked, and those of the target's own `url` wherever the server echoes them.
    """
    known = {*_secret_parts(secrets), *keys_in(url)}
    text = mask_keys(_masked(text[:_MAX_TEXT], known))
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return line if len(line) <= MAX_ERROR else f"{line[: MAX_ERROR - 1]}…"


def _masked(text: str, secrets: Iterable[str]) -> str:
    runs = {run for secret in secrets for form in _forms(secret) for run in _runs(_folded(form))}
    lengths = sorted({len(run) for run in runs})
    hidden = bytearray(len(text))
    view, spans = text, [(index, index + 1) for index in range(len(text))]
    for _ in range(3 if runs else 0):
        folded = _folded(view)
        for length in lengths:
            for start in range(len(folded) - length + 1):
                if folded[start : start + length] in runs:
                    first, last = spans[start][0], spans[start + length - 1][1]
                    hidden[first:last] = b"\1" * (last - first)
        view, spans = _unescaped(view, spans)
    pieces = re.finditer(b"\0+|\1+", bytes(hidden))
    return "".join(_MASK if piece[0][0] else text[slice(*piece.span())] for piece in pieces)


def _runs(form: str) -> Iterator[str]:
    """The runs of a form that are masked: all of MIN_RUN characters, or all of a shorter form."""
    if len(form) >= _MIN_SECRET:
        length = min(len(form), MIN_RUN)
        yield from (form[start : start + length] for start in range(len(form) - length + 1))


def _forms(secret: str) -> Iterator[str]:
    """The forms of a secret but escaped ones, which are looked for in the unescaped text."""
    if len(secret) < _MIN_SECRET:
        return
    for data in {secret.encode("utf-8", "replace"), urllib.parse.unquote_to_bytes(secret)}:
        yield data.decode("utf-8", "replace")
        yield data.decode("latin-1")
        yield data.hex()
        yield from _base64_forms(data)
    latin = secret.encode("latin-1", "replace")
    yield from _base64_forms(latin)
    yield latin.hex()


def _base64_forms(data: bytes) -> Iterator[str]:
    """The base64 of the bytes, by themselves and within other bytes."""
    for before in range(3 if len(data) >= MIN_RUN else 1):
        # The first characters encode the bytes before, too.
        encoded = base64.b64encode(b"\0" * before + data).decode()[(0, 2, 3)[before] :]
        yield encoded
        yield encoded.translate(str.maketrans("+/", "-_"))


def _folded(text: str) -> str:
    """The text in lower case, character by character, with the space of form encoding."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.replace("+", " ")


def _unescaped(text: str, spans: list[Span]) -> tuple[str, list[Span]]:
    """The text without percent-encoding and escapes of JSON and HTML, and its characters' spans."""
    chars: list[str] = []
    places: list[Span] = []
    end = 0
    for escape in _ESCAPE.finditer(text):
        chars += text[end : escape.start()]
        places += spans[end : escape.start()]
        end = escape.end()
        place = escape.start()
        for char, size in _characters(escape):
            chars.append(char)
            places.append((spans[place][0], spans[place + size - 1][1]))
            place += size
    return "".join(chars) + text[end:], places + spans[end:]


def _characters(escape: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The characters that an escape stands for, with the length of the escape of each."""
    found = escape[0]
    if escape["percent"]:
        data = urllib.parse.unquote_to_bytes(found)
        while data:
            char, size = _first_character(data)
            yield char, 3 * size
            data = data[size:]
    elif escape["json"]:
        code = found[1:]
        is_number = len(code) > 1
        yield chr(int(code[1:], 16)) if is_number else _JSON_ESCAPES.get(code, code), len(found)
    else:
        text = html.unescape(found)
        yield (text, len(found)) if len(text) == 1 else ("\0", len(found))


def _first_character(data: bytes) -> tuple[str, int]:
    """The first character of UTF-8, or of Latin-1 if it is not valid, and its size in bytes."""
    for size in range(1, 5):
        try:
            return data[:size].decode(), min(size, len(data))
        except UnicodeDecodeError:
            continue
    return chr(data[0]), 1


def _secret_parts(secrets: Mapping[str, Any]) -> Iterator[str]:
    """Yield each secret and those of its parts that a server may echo."""
    for value in (secrets.get("headers") or {}).values():
        scheme, *words = [*str(value).split(), ""]
        yield from (str(value), *words)
        if scheme.lower() == "basic":
            yield from _credentials(_decoded(words[0]))
    yield from _credentials(urllib.parse.unquote(str(secrets.get("userinfo") or "")))
    yield str(secrets.get("userinfo") or "")
    for line in str(secrets.get("send") or "").splitlines():
        yield from (line.strip(), *line.split()[1:])


def _credentials(text: str) -> Iterator[str]:
    user, _, password = text.partition(":")
    yield from (text, user, password)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "==").decode("utf-8", "replace")
    except ValueError:
        return ""
