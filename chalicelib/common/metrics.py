"""CloudWatch metrics in log lines, in the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

A metric costs as much a month as a few hundred thousand checks. So there are only metrics that AWS
does not publish itself, with one dimension, and zeros are left out. The line may contain further
fields, such as the owner, that are not metrics.
"""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from chalicelib.common.runtime import BaseRuntime
from chalicelib.common.settings import Settings

NAMESPACE: Final = "Monitum"
_LOG = logging.getLogger(__name__)


class Unit(StrEnum):
    """CloudWatch's names of units."""

    COUNT = "Count"
    SECONDS = "Seconds"


UNITS: Final[Mapping[str, Unit]] = {
    "ChecksUp": Unit.COUNT,
    "ChecksDown": Unit.COUNT,
    "ChecksDegraded": Unit.COUNT,
    "ChecksUnknown": Unit.COUNT,
    "ChecksDropped": Unit.COUNT,
    "Lateness": Unit.SECONDS,
    "AlertsSent": Unit.COUNT,
    "AlertsFailed": Unit.COUNT,
    "RateLimited": Unit.COUNT,
    "RateLimitsOpen": Unit.COUNT,
    "CanariesUnreached": Unit.COUNT,
    "ClockErrors": Unit.COUNT,
    "RegionsSilent": Unit.COUNT,
}
"""All metrics. `Lateness` is the time from a batch's tick to the start of its last check."""


def metric_fields(settings: Settings, now: float, **figures: float) -> dict[str, Any]:
    """The `extra` of a log record that publishes `figures`; `now` is in epoch seconds.

    If the stage has no metrics, the figures are plain fields of the line.
    """
    published = {name: value for name, value in figures.items() if value}
    if not published or not settings.metrics:
        return dict(published)
    described = [{"Name": name, "Unit": UNITS[name]} for name in published]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": described}
    embedded = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    # The formatter renames `emf` to `_aws`; it drops fields that already begin with an underscore.
    return {"emf": embedded, "stage": settings.stage, **published}


def report_error(runtime: BaseRuntime, metric: str, message: str, **fields: object) -> None:
    """Log an error and count it, in one line."""
    counted = metric_fields(runtime.settings, runtime.clock(), **{metric: 1})
    _LOG.error(message, extra={**counted, **fields})
