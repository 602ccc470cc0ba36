"""Times as text."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

_SECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def rfc3339(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def retry_at(text: str | None, now: int) -> int | None:
    """The epoch second that a header `Retry-After` names (RFC 9110, 10.2.3); None for no sense.

    It comes as seconds from now, which some give with decimals, or as a date.
    """
    text = (text or "").strip()
    if _SECONDS.fullmatch(text):
        return now + ceil(float(text))
    try:
        found = parsedate_to_datetime(text)
        return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp())
    except (ValueError, OverflowError):
        return None
