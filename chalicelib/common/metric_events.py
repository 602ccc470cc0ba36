"""Numbers for whoever looks after an installation: log lines that CloudWatch reads as metrics."""

import logging

from chalicelib.common.metrics import measured
from chalicelib.common.runtime import BaseRuntime

_LOG = logging.getLogger(__name__)


def report(runtime: BaseRuntime, metric: str, message: str, **about: object) -> None:
    """Log an error and count it, in one line."""
    counted = measured(runtime.settings, runtime.clock(), **{metric: 1})
    _LOG.error(message, extra={**counted, **about})
