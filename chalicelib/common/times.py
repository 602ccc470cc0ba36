"""Times as text."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

_SECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def rfc3339(seconds: float) -> str:
    """Format epoch seconds as RFC 3339 in UTC with whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def retry_at(text: str | None, now: int) -> int | None:
    """Parse a `Retry-After` header (RFC 9110, 10.2.3) to epoch seconds; None if it is invalid.

    The value is a date, or seconds from now, for which some servers send decimals.
    """
    text = (text or "").strip()
    if _SECONDS.fullmatch(text):
        return now + ceil(float(text))
    try:
        date = parsedate_to_datetime(text)
        return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp())
    except (ValueError, OverflowError):
        return None
