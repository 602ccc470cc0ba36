"""The dependencies of the check worker."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # Types only: a cold start must not load what only the first event needs.
    from chalicelib.maintenance.skip_rule_repository import SkipRuleCache
    from chalicelib.probes.checker import Checker
    from chalicelib.worker.outage_guard import ConnectivityCheck


class WorkerRuntime(AwsRuntime, Protocol):
    """The checker, the cache of skip rules, the connectivity check, and a clock to correct."""

    @property
    def checker(self) -> "Checker": ...

    @property
    def skips(self) -> "SkipRuleCache": ...

    @property
    def connectivity(self) -> "ConnectivityCheck": ...

    def correct_clock(self, at_least: float) -> None: ...
