"""The runtime protocol that every service receives: settings and a clock.

Packages that need more extend it in their `runtime.py`, and `chalicelib.runtime.Runtime` implements
all of them. So features declare what they use without importing the composition root.
"""

from collections.abc import Callable
from typing import Protocol

from chalicelib.common.settings import Settings


class BaseRuntime(Protocol):
    """Settings and the current time in epoch seconds."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Callable[[], float]: ...

    @property
    def now(self) -> int: ...
