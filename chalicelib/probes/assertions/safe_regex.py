"""Regular expressions of users, in linear time (RE2) and bounded in size and work.

Linear is not fast: a pattern such as `(a|b)*a(a|b){400}c` on a text made for it drives RE2 from its
automaton to looking at every instruction for every byte, which takes seconds for 1 MiB.
"""

import re
import time
from functools import lru_cache
from typing import Any, Final

from chalicelib.probes.work_limiter import PATTERNS

MAX_PATTERN: Final = 500
MAX_PROGRAM: Final = 2000  # instructions
MAX_WORK: Final = 20_000_000  # instructions times bytes, at 15-30 ns each where it is worst
_LITTLE_WORK: Final = 1_000_000
_PLAIN: Final = re.compile(r"[^\\.*+?{\[(]*")  # words and "|": few states, whatever the text


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


def search(pattern: str, text: str, until: float) -> tuple[bool, int | None]:
    """Return whether the pattern is found, and in how many bytes of the text (UTF-8) it was sought.

    None stands for all of it, as it is but for a large pattern on a long text, or a slow one where
    time is short. Raise BadPattern; raise CheckFailure where others' patterns leave no time by
    `until` (monotonic).
    """
    compiled = compile_pattern(pattern)
    size, encoded = compiled.programsize, len(text.encode("utf-8", "replace"))
    if size * encoded <= _LITTLE_WORK or _PLAIN.fullmatch(pattern):
        return compiled.search(text) is not None, None
    # Every character takes as many bytes as the average one: close enough.
    first, most = (work * len(text) // (size * encoded) for work in (_LITTLE_WORK, MAX_WORK))
    with PATTERNS.enter(until):
        found, end = _search_in_parts(compiled, text, first, min(most, len(text)), until)
    return found, None if found or end == len(text) else len(text[:end].encode("utf-8", "replace"))


def _search_in_parts(
    compiled: Any, text: str, end: int, most: int, until: float
) -> tuple[bool, int]:
    """Search the text up to `end`, then up to twice that, as long as the time allows it.

    Whatever comes before its end is judged as in the whole text. So much for texts that are slow
    from the beginning, and for a machine that is; `most` bounds those that are slow at the end.
    """
    while True:
        began = time.monotonic()
        match = compiled.search(text[:end])
        if match and (end == len(text) or match.end() < end):
            return True, end
        now = time.monotonic()
        if end == most or now + 2 * (now - began) > until:
            return False, end
        end = min(2 * end, most)
