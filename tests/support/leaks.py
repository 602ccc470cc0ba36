"""Searches everything that the tests log for secrets: tokens, keys and planted values.

Every record of every logger is formatted as in the deployed functions, with Monitum at level INFO.
A test that logs a secret fails.
"""

import copy
import logging
import re
from collections.abc import Iterator

import pytest

from chalicelib.common.logs import formatter

PLANTED = ("pl4nted", "us3r", "s3cret", "correct horse", "secret words", "key-12345", "tok-98765")
"""The header values, URL credentials and receivers' responses that tests use."""
_FOUND = re.compile(
    r"\bmon_[A-Za-z0-9]{16,}"  # tokens
    r"|whsec_"  # keys that sign webhooks
    r"|://[^/\s@\"]*:[^/\s@\"]*@"  # credentials in a URL
    r"|" + "|".join(map(re.escape, PLANTED))
)
_leaks: list[str] = []
_call_handlers = logging.Logger.callHandlers


def leaked(text: str) -> list[str]:
    """The secrets in a line, truncated, because people read the output of failed tests."""
    return sorted({found.group()[:6] for found in _FOUND.finditer(text)})


def _search(logger: logging.Logger, record: logging.LogRecord) -> None:
    # Format a copy: formatting stores the text of an exception in the record.
    line = formatter().format(copy.copy(record))
    if found := leaked(line):
        _leaks.append(f"{record.name} shows {found}, line {record.lineno}")
    _call_handlers(logger, record)


def watch() -> None:
    """Search every record from now on."""
    pytest.MonkeyPatch().setattr(logging.Logger, "callHandlers", _search)
    logging.getLogger("chalicelib").setLevel(logging.INFO)


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail a test that logs a secret."""
    logging.getLogger("chalicelib").setLevel(logging.INFO)
    _leaks.clear()
    yield
    assert not _leaks, _leaks
