"""Users' regular expressions: linear time (RE2), limited in size and work.

Linear time can still be slow: a pattern such as `(a|b)*a(a|b){400}c` on a crafted text makes RE2
leave its DFA and try every instruction on every byte, which takes seconds for 1 MiB.
"""

import re
import time
from functools import lru_cache
from typing import Any, Final

from chalicelib.probes.work_limiter import REGEX_LIMITER

MAX_PATTERN: Final = 500
MAX_PROGRAM: Final = 2000  # instructions
MAX_WORK: Final = 20_000_000  # instructions times bytes, 15-30 ns each in the worst case
_SMALL_WORK: Final = 1_000_000
_PLAIN: Final = re.compile(r"[^\\.*+?{\[(]*")  # literals and "|": few states for any text


class BadPattern(ValueError):
    """A regular expression that RE2 rejects or that is too large; str() says why."""


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """Return the compiled pattern; raise BadPattern."""
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415 - only for targets with a pattern

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


def search(pattern: str, text: str, deadline: float) -> tuple[bool, int | None]:
    """Return whether the pattern matches, and how many bytes of the text (UTF-8) were searched.

    None means all of them, which is the rule; only a large pattern on a long text, or a slow one
    close to the `deadline` (monotonic), is cut short. Raise BadPattern; raise CheckFailure if the
    patterns of other checks occupy the regex limiter until the deadline.
    """
    compiled = compile_pattern(pattern)
    size, encoded = compiled.programsize, len(text.encode("utf-8", "replace"))
    if size * encoded <= _SMALL_WORK or _PLAIN.fullmatch(pattern):
        return compiled.search(text) is not None, None
    # Assumes that every character has the average number of bytes, which is close enough.
    first, limit = (work * len(text) // (size * encoded) for work in (_SMALL_WORK, MAX_WORK))
    with REGEX_LIMITER.enter(deadline):
        found, end = _search_in_parts(compiled, text, first, min(limit, len(text)), deadline)
    return found, None if found or end == len(text) else len(text[:end].encode("utf-8", "replace"))


def _search_in_parts(
    compiled: Any, text: str, end: int, limit: int, deadline: float
) -> tuple[bool, int]:
    """Search the first `end` characters, then twice as many, and so on while time allows.

    Doubling stops early on slow machines and on texts that are slow from the start; `limit` bounds
    texts that are slow only at their end. A match that touches the end of a part does not count
    until the next part confirms it, because `$` or a word boundary would match there by accident.
    """
    while True:
        began = time.monotonic()
        match = compiled.search(text[:end])
        if match and (end == len(text) or match.end() < end):
            return True, end
        now = time.monotonic()
        if end == limit or now + 2 * (now - began) > deadline:
            return False, end
        end = min(2 * end, limit)
