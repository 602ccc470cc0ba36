"""Mask the values of URL query parameters that look like keys, wherever other people see a URL.

Owners put keys into the URLs of targets (`?api_key=...`, signed links). The API returns them to the
owner; alerts, pages, error texts and logs have other readers.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_PARAMETER: Final = re.compile(
    r"([?&;#]|%3F|%26)([^=&;?#\s\"'<>\\]{1,100})=([^&;#\s\"'<>\\]+)", re.IGNORECASE
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_KEY_WORDS: Final = frozenset(
    {
        "auth", "authorization", "bearer", "credential", "credentials", "hmac", "jwt", "key",
        "keys", "pass", "passphrase", "passwd", "password", "pin", "pwd", "secret", "sid", "sig",
        "sign", "signature", "session", "sessionid", "token", "tokens",
    }
)  # fmt: skip
_KEY_ENDINGS: Final = ("key", "keyid", "token", "secret", "password", "passwd", "signature")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_.~-]+")
_MIN_RANDOM: Final = 16
_MIN_CHANGES: Final = 4
_CLASSES: Final = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")


def mask_keys(text: str) -> str:
    """Replace such values in all URLs in the text by `***`; the rest stays as it is."""
    return _PARAMETER.sub(_masked, text) if "=" in text else text


def keys_in(url: str) -> Iterator[str]:
    """The values that `mask_keys` would replace, as they are and decoded."""
    for _, name, value in _PARAMETER.findall(url):
        if _is_key(name, value):
            yield from {value, unquote(value)}


def _masked(found: re.Match[str]) -> str:
    separator, name, value = found.groups()
    return f"{separator}{name}=***" if _is_key(name, value) else found[0]


def _is_key(name: str, value: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(unquote(name))]
    if not _KEY_WORDS.isdisjoint(words) or "".join(words).endswith(_KEY_ENDINGS):
        return True
    decoded = unquote(value)
    contains_keys = decoded != value and any(keys_in(decoded))
    return contains_keys or _is_random(decoded)


def _is_random(value: str) -> bool:
    """Whether a value is long and mixes letters and digits as no word, number or date does."""
    if not _BASE64.fullmatch(value):
        return False
    parts = _CLASSES.findall(value)
    has_digits = any(part.isdigit() for part in parts)
    return has_digits and len(parts) > _MIN_CHANGES and sum(map(len, parts)) >= _MIN_RANDOM
