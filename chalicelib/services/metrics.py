"""Numbers for whoever looks after an installation: log lines that CloudWatch reads as metrics."""

import logging
from typing import Any

from chalicelib.services.runtime import Runtime

_LOG = logging.getLogger(__name__)


def report(runtime: Runtime, metric: str, message: str, **about: object) -> None:
    """Log an error and count it: one line, in CloudWatch's embedded metric format."""
    embedded: dict[str, Any] = {
        "Timestamp": int(runtime.clock() * 1000),
        "CloudWatchMetrics": [
            {
                "Namespace": "Monitum",
                "Dimensions": [["stage"]],
                "Metrics": [{"Name": metric, "Unit": "Count"}],
            }
        ],
    }
    values = {"stage": runtime.settings.stage, metric: 1, **about}
    _LOG.error(message, extra={"_aws": embedded, **values})
