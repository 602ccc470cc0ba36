"""Regular expressions of users, in linear time (RE2) and bounded in size."""

from functools import lru_cache
from typing import Any, Final

MAX_PATTERN: Final = 500
MAX_PROGRAM: Final = 2000  # instructions; together with the largest body, well under a second


class BadPattern(ValueError):
    """A regular expression that RE2 does not take; str() says why."""


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """Return the compiled pattern; raise BadPattern."""
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415 - only where a target has a pattern

    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"the regular expression is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.max_mem = 4 << 20
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(f"the regular expression is not valid (RE2): {text}") from None
    if compiled.programsize > MAX_PROGRAM:
        raise BadPattern("the regular expression is too large")
    return compiled


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text; raise BadPattern."""
    return compile_pattern(pattern).search(text) is not None
