"""Find a text in a page, however the page writes its accents and HTML entities.

Normalizing or unescaping a whole page is not bounded: 1 MiB made for it takes seconds.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

_MARKUP: Final = "<>\"'"
_MAX_ENTITIES: Final = 20  # different characters that are looked for as entities


def contains(text: str, wanted: str, *, entities: bool = False) -> bool:
    """Whether a text contains another one, composed (NFC) or decomposed.

    With `entities`, also one with HTML entities: "Tom &amp; Jerry" contains "Tom & Jerry".
    """
    if wanted in text:
        return True
    if not wanted.isascii() and any(form in text for form in _forms(wanted)):
        return True
    if not entities or "&" not in text:
        return False
    for character, spellings in _entities(wanted):
        for spelling in spellings:
            text = text.replace(spelling, character)
    return any(form in text for form in _forms(wanted))


@lru_cache(maxsize=512)
def _forms(wanted: str) -> frozenset[str]:
    return frozenset({wanted, *(unicodedata.normalize(form, wanted) for form in ("NFC", "NFD"))})


@lru_cache(maxsize=512)
def _entities(wanted: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the characters of a text that pages write as entities, with these.

    Those of the markup come last, so that they are among the last 20, and "&" after all others.
    """
    composed = unicodedata.normalize("NFC", wanted)
    special = {one for one in composed if not (one.isascii() and (one.isalnum() or one == " "))}
    ordered = sorted(special, key=lambda one: (one == "&", one in _MARKUP, composed.index(one)))
    return tuple((one, tuple(_spellings(one))) for one in ordered[-_MAX_ENTITIES:])


def _spellings(character: str) -> Iterable[str]:
    """Yield the entities of a character, the longest first: one may begin like another."""
    code = ord(character)
    yield from (f"&#{code};", f"&#{code:03};", f"&#x{code:x};", f"&#x{code:X};")
    yield from _names().get(character, ())


@cache
def _names() -> dict[str, list[str]]:
    """Return the names of the entities of each character."""
    from html.entities import html5  # noqa: PLC0415 - few checks need it

    names: dict[str, list[str]] = {}
    for name in sorted(html5, key=len, reverse=True):
        names.setdefault(html5[name], []).append(f"&{name}")
    return names
