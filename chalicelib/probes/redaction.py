"""Clean error texts: one printable line of at most 200 characters, without secrets."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

from chalicelib.common.url_keys import keys_in, mask_keys

MAX_ERROR: Final = 200
_MAX_QUOTE: Final = 60
_MIN_SECRET: Final = 4


def quoted(value: object) -> str:
    """Return a value in quotes, truncated to a readable length."""
    text = mask_keys(value if isinstance(value, str) else str(value))
    cut = text if len(text) <= _MAX_QUOTE else f"{text[: _MAX_QUOTE - 1]}…"
    return f'"{cut}"'


def clean(text: str, secrets: Mapping[str, Any], url: str = "") -> str:
    """Return an error text that is safe to store and show: redacted, printable, truncated.

    Keys in any URL are masked, and those of the target's own `url` wherever the server echoes them.
    """
    known = [*_secret_parts(secrets), *_long_enough(*keys_in(url))]
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = mask_keys(text)
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return line if len(line) <= MAX_ERROR else f"{line[: MAX_ERROR - 1]}…"


def _secret_parts(secrets: Mapping[str, Any]) -> Iterable[str]:
    """Yield each secret and those of its parts that a server may echo."""
    for value in (secrets.get("headers") or {}).values():
        yield from _long_enough(str(value), *str(value).split()[1:])
    userinfo = str(secrets.get("userinfo") or "")
    if userinfo:
        encoded = base64.b64encode(userinfo.encode()).decode()
        yield from _long_enough(userinfo, userinfo.partition(":")[2], encoded)
    for line in str(secrets.get("send") or "").splitlines():
        yield from _long_enough(line.strip(), *line.split()[1:])


def _long_enough(*texts: str) -> Iterable[str]:
    return (text for text in texts if len(text) >= _MIN_SECRET)
