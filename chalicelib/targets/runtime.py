"""What operations on targets need of a process."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # Types only: a start must not load what only its first event needs.
    from chalicelib.probes.net.ssrf_guard import Guard


class TargetsRuntime(AwsRuntime, Protocol):
    """`guard` admits the addresses of targets."""

    @property
    def guard(self) -> "Guard": ...
