"""Targets for the tests of the checkers, with what does not matter filled in."""

from collections.abc import Mapping
from typing import Any

from chalicelib.monitoring.check_spec import CheckSpec


def spec(
    kind: str = "http",
    *,
    place: int = 0,
    timeout_s: int = 5,
    expect: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    **config: Any,
) -> CheckSpec:
    """Return a target of a kind; what is left over is its configuration."""
    return CheckSpec(
        target_id=f"target-{place}",
        place=place,
        kind=kind,
        interval_s=60,
        timeout_s=timeout_s,
        failure_threshold=2,
        recovery_threshold=1,
        config=config,
        expect=expect or {},
        secrets=secrets or {},
    )
