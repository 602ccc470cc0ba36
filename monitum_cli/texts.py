"""Texts of others made safe for a terminal."""

_JOINER = "\u200d"
"""No character of its own, but emoji and some scripts cannot do without it."""


def clean(text: object) -> str:
    """`text` on one line; what could move the cursor or turn the writing is spelled out."""
    return "".join(
        char if char.isprintable() or char == _JOINER else ascii(char)[1:-1] for char in str(text)
    )


def listed(words: list[str], most: int = 5) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown
