"""An owner's targets in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/ - base units, so times are in seconds.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.staleness import ReportedStatus
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.targets.current_status import CurrentStatus, current_statuses

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_DAY_S: Final = 86_400
_BATCH: Final = 200
_UP: Final[Mapping[ReportedStatus, int]] = {
    ReportedStatus.UP: 1,
    ReportedStatus.DEGRADED: 1,
    ReportedStatus.DOWN: 0,
}


@dataclass(frozen=True, slots=True)
class _Gauge:
    """One metric; `value` returns None for a target without a sample."""

    name: str
    help: str
    value: Callable[[CurrentStatus], float | None]


_GAUGES: Final = (
    _Gauge(
        "monitum_target_up",
        "Whether the target is up: 1 (also if DEGRADED) or 0. Absent while that is not known.",
        lambda current: _UP.get(current.status),
    ),
    _Gauge(
        "monitum_target_stale",
        "Whether recent checks are missing or UNKNOWN, so that the status is not known: 1 or 0.",
        lambda current: int(current.stale),
    ),
    _Gauge(
        "monitum_target_response_seconds",
        "Response time of the latest check.",
        lambda current: None if current.response_ms is None else current.response_ms / 1000,
    ),
    _Gauge(
        "monitum_target_certificate_remaining_seconds",
        "Remaining lifetime of the certificate at the latest check, in whole days.",
        lambda current: None if current.tls_days_left is None else current.tls_days_left * _DAY_S,
    ),
    _Gauge(
        "monitum_target_last_check_timestamp_seconds",
        "Scheduled time of the latest check.",
        lambda current: current.last_checked_at,
    ),
)


def exposition(runtime: BaseRuntime, owner: str) -> str:
    """Render the owner's targets as metrics; paused, unchecked and stale ones have no `up`."""
    labelled: list[tuple[str, CurrentStatus]] = []
    targets = Targets(owner).all()
    while batch := list(islice(targets, _BATCH)):
        statuses = current_statuses(runtime, owner, batch)
        labelled += [(_labels(target), statuses[target.id]) for target in batch]
    return "".join(line for gauge in _GAUGES for line in _lines(gauge, labelled))


def _lines(gauge: _Gauge, labelled: Iterable[tuple[str, CurrentStatus]]) -> Iterator[str]:
    yield f"# HELP {gauge.name} {gauge.help}\n# TYPE {gauge.name} gauge\n"
    for labels, current in labelled:
        if (value := gauge.value(current)) is not None:
            yield f"{gauge.name}{{{labels}}} {value}\n"


def _labels(target: Target) -> str:
    """Render id, name and kind, and one label per tag: `team:web` becomes `tag_team="web"`."""
    labels = {"target_id": target.id, "name": target.name, "kind": target.spec.kind}
    for tag in sorted(target.tags):
        key, separator, value = tag.partition(":")
        name = "tag_" + re.sub(r"[^a-zA-Z0-9_]", "_", key)
        labels.setdefault(name, value if separator else "1")
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
