"""An owner's targets for Prometheus, in its text format.

https://prometheus.io/docs/instrumenting/exposition_formats/ - base units, so seconds throughout.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.state_machine import Status
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.targets.current_status import CurrentStatus, current_statuses

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_DAY_S: Final = 86_400
_AT_ONCE: Final = 200
_UP: Final[Mapping[Status, int]] = {Status.UP: 1, Status.DEGRADED: 1, Status.DOWN: 0}


@dataclass(frozen=True, slots=True)
class _Gauge:
    """One metric: what it tells of a target, None where there is nothing to tell."""

    name: str
    about: str
    value: Callable[[CurrentStatus], float | None]


GAUGES: Final = (
    _Gauge(
        "monitum_target_up",
        "Whether the target is up: 1, also where it is DEGRADED, or 0.",
        lambda found: _UP.get(found.status),
    ),
    _Gauge(
        "monitum_target_response_seconds",
        "How long the latest check took to be answered.",
        lambda found: None if found.response_ms is None else found.response_ms / 1000,
    ),
    _Gauge(
        "monitum_target_certificate_remaining_seconds",
        "For how long the certificate was good at the latest check, in whole days.",
        lambda found: None if found.tls_days_left is None else found.tls_days_left * _DAY_S,
    ),
    _Gauge(
        "monitum_target_last_check_timestamp_seconds",
        "When the latest check was due.",
        lambda found: found.last_checked_at,
    ),
)


def exposition(runtime: BaseRuntime, owner: str) -> str:
    """The owner's targets as metrics; paused ones, and those not checked yet, have no `up`."""
    found = [
        (_labels(target), presences[target.id])
        for some in _batches(Targets(owner).all())
        for presences in [current_statuses(runtime, owner, some)]
        for target in some
    ]
    return "".join(line for gauge in GAUGES for line in _lines(gauge, found))


def _lines(gauge: _Gauge, found: Iterable[tuple[str, CurrentStatus]]) -> Iterator[str]:
    yield f"# HELP {gauge.name} {gauge.about}\n# TYPE {gauge.name} gauge\n"
    for labels, presence in found:
        value = gauge.value(presence)
        if value is not None:
            yield f"{gauge.name}{{{labels}}} {value}\n"


def _labels(target: Target) -> str:
    """Id, name and kind, then a label for each tag: `team:web` is `tag_team="web"`."""
    labels = {"target_id": target.id, "name": target.name, "kind": target.spec.kind}
    for tag in sorted(target.tags):
        key, separator, value = tag.partition(":")
        labels.setdefault(_label_name(key), value if separator else "1")
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _label_name(text: str) -> str:
    return "tag_" + re.sub(r"[^a-zA-Z0-9_]", "_", text)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _batches(targets: Iterator[Target]) -> Iterator[list[Target]]:
    while batch := list(islice(targets, _AT_ONCE)):
        yield batch
