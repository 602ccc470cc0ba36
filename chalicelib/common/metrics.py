"""Metrics inside log lines: CloudWatch reads figures out of a line that says how (embedded format).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Each metric of a stage costs as much as a few hundred thousand checks, so there are only those that
AWS does not count itself, one dimension, and none that are 0. What is not a metric, such as the
owner, is in the same line all the same.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from chalicelib.common.settings import Settings

NAMESPACE: Final = "Monitum"


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
}
"""Every metric there is. `Lateness` is how long after its tick the last check of a batch began."""


def measured(settings: Settings, now: float, **figures: float) -> dict[str, Any]:
    """What to give a log record as `extra`, so that the line counts `figures`.

    `now` is in epoch seconds. Without metrics in the settings the figures are in the line only.
    """
    told = {name: value for name, value in figures.items() if value}
    if not told or not settings.metrics:
        return dict(told)
    described = [{"Name": name, "Unit": UNITS[name]} for name in told]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": described}
    embedded = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    # The formatter gives it its name, `_aws`: it leaves out fields that begin like that.
    return {"emf": embedded, "stage": settings.stage, **told}
