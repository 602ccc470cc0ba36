"""Holds the functions to their policies: every test runs as if IAM were there.

What a function's handler does is asked of AWS in the function's name. A call that its policy does
not allow fails the test in which it was made: nothing is missing. A run of all tests ends with what
is allowed and was never used.
"""

import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest

from chalicelib.api import door
from chalicelib.services import alerting, background, fanning, messages, scheduling

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / ".chalice"
BY_LAMBDA = frozenset(
    {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    }
)
"""What Lambda itself does with a function's role: its logs, and its queue."""
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, order=True)
class Ask:
    """One action on one thing: `name` without the stack's, such as `lanes` or `lanes/index/x`.

    `key` is the item's partition key where a policy looks at it.
    """

    function: str
    action: str
    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one thing that a policy allows, of items whose key fits one of `keys`."""

    function: str
    action: str
    name: str
    keys: tuple[str, ...] = ("*",)

    def allows(self, ask: Ask) -> bool:
        return (
            self.function == ask.function
            and fnmatchcase(ask.action, self.action)
            and self.name in ("*", ask.name)
            and any(fnmatchcase(ask.key, key) for key in self.keys)
        )


def _name(resource: str | Mapping[str, Any]) -> str:
    """The name of what an ARN of a policy stands for, without the stack's."""
    if isinstance(resource, str):
        return resource
    if "Fn::If" in resource:
        return "*"
    if "Fn::GetAtt" in resource:
        queue = _resources()[resource["Fn::GetAtt"][0]]["Properties"]["QueueName"]["Fn::Sub"]
        return str(queue).removeprefix("${AWS::StackName}-")
    return str(resource["Fn::Sub"]).partition("${AWS::StackName}-")[2]


@functools.cache
def _resources() -> dict[str, Any]:
    text = (POLICIES / "resources.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["Resources"]
    return found


def _keys(statement: Mapping[str, Any]) -> tuple[str, ...]:
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    return tuple(condition.get("dynamodb:LeadingKeys", ["*"]))


@functools.cache
def grants() -> tuple[Grant, ...]:
    """Everything that the policies allow, piece by piece, but for what Lambda does itself."""
    found = []
    for path in sorted(POLICIES.glob("policy-*.json")):
        function = path.stem.removeprefix("policy-")
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                found += [
                    Grant(function, action, _name(resource), _keys(statement))
                    for action in statement["Action"]
                    if action not in BY_LAMBDA
                ]
    return tuple(found)


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

    def ask(self, action: str, name: str, key: str = "") -> None:
        """Note a call, if a function is at work."""
        if not self.function:
            return
        ask = Ask(self.function, action, name, key)
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
        (scheduling, "run_tick", "tick"),
        (messages, "handle_checks", "check"),
        (fanning, "fan_out", "fan-out"),
        (background, "run_background", "rollup"),
        (alerting, "handle_alerts", "alert"),
        (alerting, "handle_notices", "notify"),
        (door, "_call", "api"),
    ):
        setattr(module, work, works_as(function, getattr(module, work)))


def note(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Note a call as botocore sees it."""
    if not RECORD.function:
        return
    for action, name, key in _asked(service, operation, params):
        RECORD.ask(f"{service}:{action}", name, key)


def _asked(
    service: str, operation: str, params: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    if service == "dynamodb":
        yield from _of_tables(operation, params)
    elif service == "sqs":
        yield operation.removesuffix("Batch"), _last(params["QueueUrl"], "/"), ""
    elif service == "lambda":
        yield f"{operation}Function", _short(params["FunctionName"]), ""


def _of_tables(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for table, request in params.get("RequestItems", {}).items():
        for key in request["Keys"]:
            yield operation, _short(table), _leading(table, key)
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
        f"policy-{ask.function}.json does not allow {ask.action} on {ask.name} {ask.key}"
        for ask in sorted(RECORD.refused)
    )
    assert not refused, refused


def to_spare(asks: set[Ask]) -> list[Grant]:
    """What is allowed and nobody asked for."""
    return [grant for grant in grants() if not any(grant.allows(ask) for ask in asks)]


def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has noted."""
    output = getattr(node, "workeroutput", {})
    RECORD.asks.update(Ask(*one) for one in output.get("asks", []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the notes on, where others are to hold them against the policies."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["asks"] = [
            (ask.function, ask.action, ask.name, ask.key) for ask in RECORD.asks
        ]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which permissions nobody used."""
    spare = to_spare(RECORD.asks) if _is_whole(config) else []
    for grant in spare:
        told = f"policy-{grant.function}.json allows {grant.action} on {grant.name}: never used"
        terminalreporter.write_line(told, red=True)


def _is_whole(config: pytest.Config) -> bool:
    option = config.option
    narrowed = option.keyword or option.markexpr or option.lf or option.collectonly
    return config.args == config.getini("testpaths") and not narrowed
