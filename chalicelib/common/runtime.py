"""What every service is given: settings and a clock.

Packages that need more extend this protocol in their own `runtime.py`; `chalicelib.runtime.Runtime`
satisfies them all. So a feature names what it uses and imports nothing above it.
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
