"""Format values for people."""

from collections.abc import Sequence

SHORT_ID = 18
"""Characters of an ID in a table: its time and twelve random bits, enough to identify it."""
_ZERO_WIDTH_JOINER = "\u200d"


def escape_control(text: object) -> str:
    r"""Put `text` on one line, with control characters spelled out as in `\x1b`.

    Names and errors come from other people; unescaped, they could move the cursor or reverse the
    writing direction. The joiner stays: emoji and some scripts need it.
    """
    return "".join(
        char if char.isprintable() or char == _ZERO_WIDTH_JOINER else ascii(char)[1:-1]
        for char in str(text)
    )


def join(words: Sequence[str], limit: int = 5) -> str:
    """Join words as in `a, b and 3 more`."""
    shown = ", ".join(words[:limit])
    return f"{shown} and {len(words) - limit} more" if len(words) > limit else shown


def short_id(identifier: str) -> str:
    return identifier[:SHORT_ID]


def timestamp(text: str | None) -> str | None:
    """Format the API's `2026-11-22T06:40:04Z` as `2026-11-22 06:40:04`, still in UTC."""
    return None if text is None else text.replace("T", " ").replace("Z", "")


def milliseconds(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f} ms"


def duration(seconds: int | None) -> str | None:
    """Format seconds in their two largest units, as in `2 d 3 h`."""
    if seconds is None:
        return None
    parts, remaining = [], seconds
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, remaining = divmod(remaining, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def percent(ratio: float | None) -> str | None:
    """Format a ratio, rounded down so that only a ratio of 1 is shown as 100 %."""
    return None if ratio is None else f"{int(ratio * 100_000) / 1000:.3f} %"


def yes_no(value: object) -> str:
    return "yes" if value else "no"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
