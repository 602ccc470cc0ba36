"""Greps everything that the tests log for secrets: tokens and keys, and those that are planted.

Every record of every logger is looked at as the deployed functions would write it, ours from INFO
on. A test in which one is found fails.
"""

import copy
import logging
import re
from collections.abc import Iterator

import pytest

from chalicelib.common.logs import formatter

PLANTED = ("pl4nted", "us3r", "s3cret", "correct horse", "secret words", "key-12345", "tok-98765")
"""What tests use for header values, userinfo and answers of receivers."""
_FOUND = re.compile(
    r"\bmon_[A-Za-z0-9]{16,}"  # tokens
    r"|whsec_"  # keys that sign webhooks
    r"|://[^/\s@\"]*:[^/\s@\"]*@"  # credentials in a URL
    r"|" + "|".join(map(re.escape, PLANTED))
)
_leaks: list[str] = []
_call_handlers = logging.Logger.callHandlers


def leaked(text: str) -> list[str]:
    """The secrets in a line, each cut short: what fails a test is shown to people too."""
    return sorted({found.group()[:6] for found in _FOUND.finditer(text)})


def _look(logger: logging.Logger, record: logging.LogRecord) -> None:
    # A copy: formatting leaves the text of an exception in the record.
    line = formatter().format(copy.copy(record))
    if found := leaked(line):
        _leaks.append(f"{record.name} shows {found}, line {record.lineno}")
    _call_handlers(logger, record)


def watch() -> None:
    """Look at every record from now on."""
    pytest.MonkeyPatch().setattr(logging.Logger, "callHandlers", _look)
    logging.getLogger("chalicelib").setLevel(logging.INFO)


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail the test in which a secret was logged."""
    logging.getLogger("chalicelib").setLevel(logging.INFO)
    _leaks.clear()
    yield
    assert not _leaks, _leaks
