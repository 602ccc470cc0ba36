"""The composition root: creates settings and clients, and passes them to the features."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from chalicelib.aws import dynamodb
from chalicelib.aws.lambda_client import Functions
from chalicelib.aws.sqs import Queue
from chalicelib.common.metrics import report_error
from chalicelib.common.settings import Settings

if TYPE_CHECKING:
    from chalicelib.alerting.notifiers import Notifiers
    from chalicelib.alerting.notifiers.ses import Mailer
    from chalicelib.aws.sns import Topic
    from chalicelib.maintenance.skip_rule_repository import SkipRuleCache
    from chalicelib.probes.checker import Checker
    from chalicelib.probes.net.outbound import Outbound
    from chalicelib.probes.net.ssrf_guard import Guard
    from chalicelib.status_pages.runtime import PageCaches
    from chalicelib.worker.outage_guard import ConnectivityCheck


_MAX_BEHIND_S: Final = 10


@dataclass(frozen=True, slots=True)
class _CorrectedClock:
    machine: Callable[[], float]
    correction_s: float

    def __call__(self) -> float:
        return self.machine() + self.correction_s


@dataclass
class Runtime:
    """The settings and clients of one process. Clients are created on first use.

    Imports inside properties keep cold starts short: each function loads only what it uses.
    """

    settings: Settings
    clock: Callable[[], float] = time.time

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Runtime":
        """Read the settings and bind the models to their stage; raises SettingsError."""
        settings = Settings.from_env(env)
        dynamodb.bind(settings)
        return cls(settings)

    @property
    def now(self) -> int:
        """The current time in whole epoch seconds."""
        return int(self.clock())

    def correct_clock(self, at_least: float) -> None:
        """Set the clock forward if it is slow: it is `at_least` (epoch seconds) on another clock.

        Each call measures anew, so a clock that is right again is not corrected any more.
        """
        machine = self.clock.machine if isinstance(self.clock, _CorrectedClock) else self.clock
        behind_s = at_least - machine()
        if behind_s > _MAX_BEHIND_S:
            self.clock = _CorrectedClock(machine, behind_s)
            report_error(self, "ClockErrors", "the clock is slow", behind_s=round(behind_s))
        else:
            self.clock = machine

    @cached_property
    def checks(self) -> Queue:
        """The checks queue of the region that this runs in."""
        return Queue.connect(self.settings.checks_queue_url, self.settings.region)

    @cached_property
    def further_checks(self) -> Mapping[str, Queue]:
        """The checks queues of the further regions, where the stack's queue has the same name."""
        url, home = self.settings.checks_queue_url, self.settings.home_region
        return {
            region: Queue.connect(url.replace(f".{home}.", f".{region}."), region)
            for region in self.settings.further_regions
        }

    @cached_property
    def alerts(self) -> Queue:
        return Queue.connect(self.settings.alerts_queue_url, self.settings.home_region)

    @cached_property
    def alerts_dead(self) -> Queue:
        return Queue.connect(self.settings.alerts_dead_queue_url, self.settings.home_region)

    @cached_property
    def dead_letters(self) -> Mapping[str, Queue]:
        prefix = self.settings.checks_queue_url.removesuffix("checks")
        home = {
            name: self.alerts_dead.sibling(f"{prefix}{name}")
            for name in ("checks-dead", "alerts-dead", "rollups-dead")
        }
        region = f".{self.settings.home_region}."
        further = {
            f"checks-dead:{name}": queue.sibling(
                f"{prefix}checks-dead".replace(region, f".{name}.")
            )
            for name, queue in self.further_checks.items()
        }
        return {**home, **further}

    @cached_property
    def alarm_topic(self) -> "Topic | None":
        from chalicelib.aws.sns import Topic  # noqa: PLC0415 - cold start

        arn = self.settings.alarm_topic_arn
        return Topic.connect(arn, self.settings.home_region) if arn else None

    @cached_property
    def functions(self) -> Functions:
        # Functions and tables are named after the stack.
        return Functions(self.settings.home_region, self.settings.table_prefix)

    @cached_property
    def guard(self) -> "Guard":
        from chalicelib.probes.net.ssrf_guard import Guard  # noqa: PLC0415 - cold start

        return Guard(
            allow_private=self.settings.allow_private_targets,
            forbidden_hosts=self.settings.own_hosts,
            forbidden_ports=self.settings.forbidden_ports,
        )

    @cached_property
    def checker(self) -> "Checker":
        from chalicelib.probes.checker import Checker  # noqa: PLC0415 - cold start

        return Checker(self.guard, concurrency=self.settings.check_concurrency)

    @cached_property
    def skips(self) -> "SkipRuleCache":
        from chalicelib.maintenance.skip_rule_repository import SkipRuleCache  # noqa: PLC0415 - cold start

        return SkipRuleCache()

    @cached_property
    def page_caches(self) -> "PageCaches":
        from chalicelib.status_pages.runtime import PageCaches  # noqa: PLC0415 - cold start

        return PageCaches(self.clock)

    @cached_property
    def connectivity(self) -> "ConnectivityCheck":
        from chalicelib.worker.outage_guard import ConnectivityCheck  # noqa: PLC0415 - cold start

        def connects(addresses: Sequence[tuple[str, int]]) -> bool:
            return self.checker.is_connected(addresses)

        def resolves(names: Sequence[str]) -> bool:
            return self.checker.can_resolve(names)

        return ConnectivityCheck(self.settings.canaries, connects, resolves)

    @cached_property
    def outbound(self) -> "Outbound":
        from chalicelib.probes.net.dialer import Dialer  # noqa: PLC0415 - cold start
        from chalicelib.probes.net.outbound import Outbound  # noqa: PLC0415
        from chalicelib.probes.net.resolver import SystemResolver  # noqa: PLC0415

        return Outbound(Dialer(self.guard, SystemResolver(search=self.guard.allow_private)))

    @cached_property
    def notifiers(self) -> "Notifiers":
        from chalicelib.alerting.notifiers import Notifiers  # noqa: PLC0415 - cold start

        return Notifiers(outbound=lambda: self.outbound, mailer=lambda: self.mailer)

    @cached_property
    def mailer(self) -> "Mailer":
        from chalicelib.alerting.notifiers.ses import Mailer  # noqa: PLC0415 - cold start

        return Mailer.connect(self.settings.home_region, self.settings.mail_from)
