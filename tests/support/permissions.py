"""Checks the functions' IAM policies against the AWS calls that the tests make.

The calls of a function's handler are recorded under the function's name. A call that its policy
does not allow fails the test. A run of all tests fails if a policy allows something that no
function did in any test.
"""

import functools
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import pytest

from chalicelib.alerting import handler as alerting_handler
from chalicelib.alerting import overdue
from chalicelib.api import dispatch as api_dispatch
from chalicelib.history import background_handler
from chalicelib.history import dispatch as rollups_dispatch
from chalicelib.worker import handler as worker_handler
from chalicelib.worker import scheduler
from tests.support.policies import ApiCall, Grant, grants, unused

P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def is_allowed(call: ApiCall) -> bool:
    """Whether a policy allows the call; cached, because calls repeat thousands of times."""
    return any(grant.allows(call) for grant in grants())


class Record:
    """Records calls by function.

    Threads without the context variable are attributed to the function that started last.
    """

    def __init__(self) -> None:
        self.calls: set[ApiCall] = set()
        self.denied: set[ApiCall] = set()
        self._working: list[str] = []
        self._here: ContextVar[str | None] = ContextVar("function", default=None)
        self._lock = threading.Lock()

    @contextmanager
    def working(self, function: str) -> Iterator[None]:
        """Attribute calls inside the block to `function`."""
        self._working.append(function)
        token = self._here.set(function)
        try:
            yield
        finally:
            self._here.reset(token)
            self._working.remove(function)

    @property
    def function(self) -> str:
        """The function that is running; empty in test code."""
        here = self._here.get()
        if here is not None:
            return here
        return self._working[-1] if self._working else ""

    def add(self, action: str, name: str, keys: tuple[str, ...] = ("",)) -> None:
        """Record a call if a function is running."""
        if not self.function:
            return
        call = ApiCall(self.function, action, name, keys)
        with self._lock:
            (self.calls if is_allowed(call) else self.denied).add(call)


RECORD = Record()


def as_function(function: str, work: Callable[P, R]) -> Callable[P, R]:
    """Wrap `work` so that its calls are attributed to a function."""

    @functools.wraps(work)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with RECORD.working(function):
            return work(*args, **kwargs)

    return wrapped


def name_functions() -> None:
    """Patch every handler so that its calls are attributed to its function."""
    for module, work, function in (
        (scheduler, "run_tick", "tick"),
        (worker_handler, "handle_checks", "check"),
        (rollups_dispatch, "fan_out", "fan-out"),
        (overdue, "send_overdue", "fan-out"),
        (background_handler, "run_background", "rollup"),
        (alerting_handler, "handle_alerts", "alert"),
        (alerting_handler, "handle_notices", "notify"),
        (api_dispatch, "_call", "api"),
    ):
        setattr(module, work, as_function(function, getattr(module, work)))


def note(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Record a call with botocore's parameters."""
    if not RECORD.function:
        return
    for action, name, *keys in requests(service, operation, params):
        RECORD.add(f"{service}:{action}", name, tuple(sorted(set(keys))))


def requests(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The action, resource name and item keys of a call."""
    if service == "dynamodb":
        yield from _table_requests(operation, params)
    elif service == "sqs":
        yield operation.removesuffix("Batch"), _short(params["QueueUrl"]), ""
    elif service == "lambda":
        yield f"{operation}Function", _short(params["FunctionName"]), ""


def _table_requests(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for table, request in params.get("RequestItems", {}).items():
        yield operation, _short(table), *(_leading(table, key) for key in request["Keys"])
    for item in params.get("TransactItems", []):
        for kind, request in item.items():
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            yield action, _short(request["TableName"]), _leading_key(request)
    if "TableName" in params:
        table = _short(params["TableName"])
        index = params.get("IndexName")
        yield operation, f"{table}/index/{index}" if index else table, _leading_key(params)


def _leading_key(request: Mapping[str, Any]) -> str:
    item = request.get("Key") or request.get("Item") or {}
    return _leading(request["TableName"], item)


def _leading(table: str, key: Mapping[str, Any]) -> str:
    # The keys of other tables are owners, which no policy can name.
    return str(key.get("name", {}).get("S", "")) if _short(table) == "system" else ""


def _short(name: str) -> str:
    """The name of a table, queue or function without the prefix of its stage."""
    return re.sub(r".*monitum-(test|dev|prod)-", "", name)


@pytest.fixture(autouse=True)
def policies_allow() -> Iterator[None]:
    """Fail a test in which a function made a call that its policy does not allow."""
    RECORD.denied.clear()
    yield
    denied = "\n".join(
        f"policy-{call.function}.json does not allow {call.action} on {call.name} {call.keys}"
        for call in sorted(RECORD.denied)
    )
    assert not denied, denied


def pytest_testnodedown(node: Any) -> None:
    """Collect the calls that a worker of pytest-xdist recorded."""
    output = getattr(node, "workeroutput", {})
    RECORD.calls.update(ApiCall(*one) for one in output.get("asks", []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass a worker's calls on; after a run of all tests look for unused permissions."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["asks"] = [
            (call.function, call.action, call.name, call.keys) for call in RECORD.calls
        ]
    elif session.exitstatus == pytest.ExitCode.OK and _is_whole(config):
        config.stash[_UNUSED] = unused(RECORD.calls)
        if config.stash[_UNUSED]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the unused permissions."""
    for grant in config.stash.get(_UNUSED, []):
        text = f"policy-{grant.function}.json allows {grant.action} on {grant.name}"
        terminalreporter.write_line(f"{text} {grant.keys}: no test needs that", red=True)


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


_UNUSED = pytest.StashKey[list[Grant]]()
