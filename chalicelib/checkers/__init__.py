"""The checkers: every kind of target behind one door.

`Checker(Guard(...))` is made once per process; `check` tests one target, `check_lanes` many. Names
are imported when they are first used: who only validates a URL does not load an HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.checkers.door import Checker
    from chalicelib.checkers.guard import Guard
    from chalicelib.checkers.resolver import Resolver, SystemResolver
    from chalicelib.checkers.urls import BadUrl, Host, Url

_HOMES = {
    "BadUrl": "urls",
    "Checker": "door",
    "Guard": "guard",
    "Host": "urls",
    "Resolver": "resolver",
    "SystemResolver": "resolver",
    "Url": "urls",
}

__all__ = ["BadUrl", "Checker", "Guard", "Host", "Resolver", "SystemResolver", "Url"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
