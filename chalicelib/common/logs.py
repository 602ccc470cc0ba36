"""Structured logs: one JSON object per line on standard output, which Lambda collects.

Context such as owner, target and tick is passed in `extra`. Never log secrets.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from chalicelib.common.url_keys import mask_keys

_request_id: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def request(request_id: str) -> Iterator[None]:
    """Add the invocation's request id to every line logged inside the block."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def _add_request_id(record: logging.LogRecord) -> bool:
    if _request_id.get() and not hasattr(record, "request_id"):
        record.request_id = _request_id.get()
    return True


class _Formatter(JsonFormatter):
    """Masks keys in URLs, which the messages of exceptions may contain."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_keys(super().format(record))


def formatter() -> JsonFormatter:
    """The JSON formatter of all log lines."""
    return _Formatter(
        "{levelname}{name}{message}",
        style="{",
        rename_fields={"levelname": "level", "name": "logger", "emf": "_aws"},
        timestamp=True,
    )


def configure() -> None:
    """Log as JSON: Monitum at level INFO, libraries at WARNING."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter())
    handler.addFilter(_add_request_id)
    root = logging.getLogger()
    # Replace Lambda's handler, which would write every line a second time as text.
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("chalicelib").setLevel(logging.INFO)
