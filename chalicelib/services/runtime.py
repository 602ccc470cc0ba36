"""The composition root: settings and clients are made here and passed on from here."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.settings import Settings
from chalicelib.store import base
from chalicelib.store.functions import Functions, shard_event
from chalicelib.store.queues import Queue

if TYPE_CHECKING:
    from chalicelib.checkers import Checker
    from chalicelib.checkers.guard import Guard
    from chalicelib.notifiers import Notifiers
    from chalicelib.notifiers.mailer import Mailer
    from chalicelib.outbound import Outbound
    from chalicelib.services.canaries import Canaries
    from chalicelib.services.shelves import Shelves
    from chalicelib.services.skips import Skips


@dataclass
class Runtime:
    """What one process works with. Clients are made when first needed."""

    settings: Settings
    clock: Callable[[], float] = time.time

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Runtime":
        """Read the settings and bind the store to their stage; raises SettingsError."""
        settings = Settings.from_env(env)
        base.bind(settings)
        return cls(settings)

    @property
    def now(self) -> int:
        """The present, in whole epoch seconds."""
        return int(self.clock())

    @cached_property
    def checks(self) -> Queue:
        """The checks of the region that this runs in."""
        return Queue.connect(self.settings.checks_queue_url, self.settings.region)

    @cached_property
    def further_checks(self) -> Mapping[str, Queue]:
        """The checks of the further regions, where the same stack's queue has the same name."""
        url, home = self.settings.checks_queue_url, self.settings.home_region
        return {
            region: Queue.connect(url.replace(f".{home}.", f".{region}."), region)
            for region in self.settings.further_regions
        }

    @cached_property
    def alerts(self) -> Queue:
        return self._queue(self.settings.alerts_queue_url)

    @cached_property
    def alerts_dead(self) -> Queue:
        return self._queue(self.settings.alerts_dead_queue_url)

    def _queue(self, url: str) -> Queue:
        return Queue.connect(url, self.settings.home_region)

    def start_tick(self, shard: int) -> None:
        """Have the schedule of a shard run beside this one; what came of it is not waited for."""
        self.functions.start("tick", shard_event(shard))

    @cached_property
    def functions(self) -> Functions:
        # Functions are named after the stack, as tables are.
        return Functions(self.settings.home_region, self.settings.table_prefix)

    @cached_property
    def guard(self) -> "Guard":
        from chalicelib.checkers.guard import Guard  # noqa: PLC0415 - see below

        return Guard(
            allow_private=self.settings.allow_private_targets,
            forbidden_hosts=self.settings.own_hosts,
            forbidden_ports=self.settings.forbidden_ports,
        )

    @cached_property
    def checker(self) -> "Checker":
        # Only the worker needs it: TLS and HTTP are not for the other functions to load.
        from chalicelib.checkers import Checker  # noqa: PLC0415 - at the first check

        return Checker(self.guard, concurrency=self.settings.check_concurrency)

    @cached_property
    def skips(self) -> "Skips":
        from chalicelib.services.skips import Skips  # noqa: PLC0415 - see above

        return Skips()

    @cached_property
    def shelves(self) -> "Shelves":
        from chalicelib.services.shelves import Shelves  # noqa: PLC0415 - see above

        return Shelves(self.clock)

    @cached_property
    def canaries(self) -> "Canaries":
        from chalicelib.services.canaries import Canaries  # noqa: PLC0415 - see above

        def connects(places: Sequence[tuple[str, int]]) -> bool:
            return self.checker.is_connected(places)

        return Canaries(self.settings.canaries, connects)

    @cached_property
    def outbound(self) -> "Outbound":
        from chalicelib.checkers import SystemResolver  # noqa: PLC0415 - see above
        from chalicelib.checkers.dialer import Dialer  # noqa: PLC0415 - the same
        from chalicelib.outbound import Outbound  # noqa: PLC0415

        return Outbound(Dialer(self.guard, SystemResolver(search=self.guard.allow_private)))

    @cached_property
    def notifiers(self) -> "Notifiers":
        from chalicelib.notifiers import Notifiers  # noqa: PLC0415 - see above

        return Notifiers(outbound=lambda: self.outbound, mailer=lambda: self.mailer)

    @cached_property
    def mailer(self) -> "Mailer":
        from chalicelib.notifiers.mailer import Mailer  # noqa: PLC0415 - see above

        return Mailer.connect(self.settings.home_region, self.settings.mail_from)
