"""The runtime that the targets package requires."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # For types only: cold starts must not load what only the first event needs.
    from chalicelib.probes.net.ssrf_guard import Guard


class TargetsRuntime(AwsRuntime, Protocol):
    """Adds the `guard` that decides which addresses may be checked."""

    @property
    def guard(self) -> "Guard": ...
