"""What the check worker needs of a process."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # Types only: a start must not load what only its first event needs.
    from chalicelib.maintenance.skip_rule_cache import SkipRuleCache
    from chalicelib.probes.checker import Checker
    from chalicelib.worker.connectivity import ConnectivityCheck


class WorkerRuntime(AwsRuntime, Protocol):
    """The checker, the skip rules read so far, and the connectivity check."""

    @property
    def checker(self) -> "Checker": ...

    @property
    def skips(self) -> "SkipRuleCache": ...

    @property
    def connectivity(self) -> "ConnectivityCheck": ...
