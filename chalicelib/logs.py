"""Structured logs: one JSON object a line, on standard output, from where Lambda takes them.

What a record is about stands in `extra`: owner, target, tick. Secrets never go there.
"""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def configure() -> None:
    """Log as JSON: Monitum from INFO on, everything else from WARNING on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp=True,
        )
    )
    root = logging.getLogger()
    # Lambda's own handler would write every line a second time, as text.
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("chalicelib").setLevel(logging.INFO)
