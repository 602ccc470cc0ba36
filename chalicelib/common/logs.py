"""Structured logs: one JSON object a line, on standard output, from where Lambda takes them.

What a record is about stands in `extra`: owner, target, tick. Secrets never go there.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

_request_id: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def request(request_id: str) -> Iterator[None]:
    """Name the invocation in every line that is written inside the block."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def _name_request(record: logging.LogRecord) -> bool:
    if _request_id.get() and not hasattr(record, "request_id"):
        record.request_id = _request_id.get()
    return True


def formatter() -> JsonFormatter:
    """What makes a line of a record."""
    return JsonFormatter(
        "{levelname}{name}{message}",
        style="{",
        rename_fields={"levelname": "level", "name": "logger", "emf": "_aws"},
        timestamp=True,
    )


def configure() -> None:
    """Log as JSON: Monitum from INFO on, everything else from WARNING on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter())
    handler.addFilter(_name_request)
    root = logging.getLogger()
    # Lambda's own handler would write every line a second time, as text.
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("chalicelib").setLevel(logging.INFO)
