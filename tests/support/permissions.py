"""Holds the functions to their policies: every test runs as if IAM were there.

What a function's handler does is asked of AWS in the function's name. A call that its policy does
not allow fails the test in which it was made: nothing is missing. A run of all tests fails where
something is allowed that no function did in any of them: nothing is to spare.
"""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import pytest

from chalicelib.alerting import handler as alerting_handler
from chalicelib.api import dispatch as api_dispatch
from chalicelib.history import background_handler
from chalicelib.history import dispatch as rollups_dispatch
from chalicelib.worker import handler as worker_handler
from chalicelib.worker import scheduler
from tests.support.policies import Ask, Grant, grants, to_spare

P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def is_allowed(ask: Ask) -> bool:
    """Whether a policy allows it; the same is asked thousands of times."""
    return any(grant.allows(ask) for grant in grants())


class Record:
    """Who asked for what. The threads of a function work for it too, even those told nothing."""

    def __init__(self) -> None:
        self.asks: set[Ask] = set()
        self.refused: set[Ask] = set()
        self._working: list[str] = []
        self._here: ContextVar[str | None] = ContextVar("function", default=None)
        self._lock = threading.Lock()

    @contextmanager
    def working(self, function: str) -> Iterator[None]:
        """Ask in the name of `function` inside the block."""
        self._working.append(function)
        token = self._here.set(function)
        try:
            yield
        finally:
            self._here.reset(token)
            self._working.remove(function)

    @property
    def function(self) -> str:
        """Which function is at work; empty where a test is."""
        here = self._here.get()
        if here is not None:
            return here
        return self._working[-1] if self._working else ""

    def ask(self, action: str, name: str, keys: tuple[str, ...] = ("",)) -> None:
        """Note a call, if a function is at work."""
        if not self.function:
            return
        ask = Ask(self.function, action, name, keys)
        with self._lock:
            (self.asks if is_allowed(ask) else self.refused).add(ask)


RECORD = Record()


def works_as(function: str, work: Callable[P, R]) -> Callable[P, R]:
    """`work` in the name of a function."""

    @functools.wraps(work)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with RECORD.working(function):
            return work(*args, **kwargs)

    return wrapped


def name_functions() -> None:
    """Have every handler's work done in its function's name, whoever starts it."""
    for module, work, function in (
        (scheduler, "run_tick", "tick"),
        (worker_handler, "handle_checks", "check"),
        (rollups_dispatch, "fan_out", "fan-out"),
        (background_handler, "run_background", "rollup"),
        (alerting_handler, "handle_alerts", "alert"),
        (alerting_handler, "handle_notices", "notify"),
        (api_dispatch, "_call", "api"),
    ):
        setattr(module, work, works_as(function, getattr(module, work)))


def note(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Note a call as botocore sees it."""
    if not RECORD.function:
        return
    for action, name, *keys in _asked(service, operation, params):
        RECORD.ask(f"{service}:{action}", name, tuple(sorted(set(keys))))


def _asked(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """What a call asks for: actions, the names of things, and keys of items."""
    if service == "dynamodb":
        yield from _of_tables(operation, params)
    elif service == "sqs":
        yield operation.removesuffix("Batch"), _last(params["QueueUrl"], "/"), ""
    elif service == "lambda":
        yield f"{operation}Function", _short(params["FunctionName"]), ""


def _of_tables(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for table, request in params.get("RequestItems", {}).items():
        yield operation, _short(table), *(_leading(table, key) for key in request["Keys"])
    for item in params.get("TransactItems", []):
        for kind, request in item.items():
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            yield action, _short(request["TableName"]), _of_item(request)
    if "TableName" in params:
        table = _short(params["TableName"])
        index = params.get("IndexName")
        yield operation, f"{table}/index/{index}" if index else table, _of_item(params)


def _of_item(request: Mapping[str, Any]) -> str:
    item = request.get("Key") or request.get("Item") or {}
    return _leading(request["TableName"], item)


def _leading(table: str, key: Mapping[str, Any]) -> str:
    # Other tables' keys are owners, which no policy can name.
    return str(key.get("name", {}).get("S", "")) if _short(table) == "system" else ""


def _short(name: str) -> str:
    return _last(name, "monitum-test-")


def _last(text: str, separator: str) -> str:
    last = text.rpartition(separator)[2]
    return last.removeprefix("monitum-test-")


@pytest.fixture(autouse=True)
def policies_allow() -> Iterator[None]:
    """Fail the test in which a function did what its policy does not allow."""
    RECORD.refused.clear()
    yield
    refused = "\n".join(
        f"policy-{ask.function}.json does not allow {ask.action} on {ask.name} {ask.keys}"
        for ask in sorted(RECORD.refused)
    )
    assert not refused, refused


def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has noted."""
    output = getattr(node, "workeroutput", {})
    RECORD.asks.update(Ask(*one) for one in output.get("asks", []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's notes on; hold those of a whole run against the policies."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["asks"] = [
            (ask.function, ask.action, ask.name, ask.keys) for ask in RECORD.asks
        ]
    elif session.exitstatus == pytest.ExitCode.OK and _is_whole(config):
        config.stash[_SPARE] = to_spare(RECORD.asks)
        if config.stash[_SPARE]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which permissions nobody used."""
    for grant in config.stash.get(_SPARE, []):
        told = f"policy-{grant.function}.json allows {grant.action} on {grant.name}"
        terminalreporter.write_line(f"{told} {grant.keys}: no test has it do that", red=True)


def _is_whole(config: pytest.Config) -> bool:
    option = config.option
    usual = [one for one in config.getini("addopts") if one.startswith("--ignore=")]
    narrowed = (
        option.keyword,
        option.markexpr,
        option.lf,
        option.collectonly,
        option.deselect,
        len(option.ignore or ()) > len(usual),
    )
    return config.args == config.getini("testpaths") and not any(narrowed)


_SPARE = pytest.StashKey[list[Grant]]()
