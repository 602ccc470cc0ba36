"""The composition root: settings and clients are made here and passed on from here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.checkers.guard import Guard
from chalicelib.settings import Settings
from chalicelib.store import base
from chalicelib.store.functions import Functions, shard_event
from chalicelib.store.queues import Queue

if TYPE_CHECKING:
    from chalicelib.checkers import Checker


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
        return Queue.connect(self.settings.checks_queue_url, self.settings.region)

    def start_tick(self, shard: int) -> None:
        """Have the schedule of a shard run beside this one; what came of it is not waited for."""
        self.functions.start(self.settings.function_name, shard_event(shard))

    @cached_property
    def functions(self) -> Functions:
        return Functions.connect(self.settings.region)

    @cached_property
    def rollups(self) -> Queue:
        return Queue.connect(self.settings.rollups_queue_url, self.settings.region)

    @cached_property
    def guard(self) -> Guard:
        return Guard(allow_private=self.settings.allow_private_targets)

    @cached_property
    def checker(self) -> "Checker":
        # Only the worker needs it: TLS and HTTP are not for the other functions to load.
        from chalicelib.checkers import Checker  # noqa: PLC0415

        return Checker(self.guard, concurrency=self.settings.check_concurrency)
