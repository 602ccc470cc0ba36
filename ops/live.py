"""The application as a running process sees it, replaceable by its newer self."""

import importlib
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, ScheduleExpression, SQSEventConfig
from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.local import CustomLocalChalice, LambdaContext, LocalChalice

from ops.gateway import RequestHandler

ROOT = Path(__file__).resolve().parents[1]
UNITS_S = {"minute": 60, "hour": 3600, "day": 86400}


class LiveApp:
    """`app.py` and what it imports, loaded again on demand.

    Attributes are replaced all at once at the end of `load`, so that a request or an event that is
    under way finishes with the code that it began with.
    """

    def __init__(self) -> None:
        self._module: ModuleType
        self._config: Config

    def load(self) -> None:
        """Import the application afresh; raises whatever importing it raises."""
        before = _application_modules()
        for name in before:
            del sys.modules[name]
        try:
            module = importlib.import_module("app")
            # The door loads routes at their first call: what is wrong with one is to show now.
            importlib.import_module("chalicelib.routes")
            # What `chalice local` does to an application that serves several threads.
            CustomLocalChalice.__bases__ = (LocalChalice, Chalice)
            module.app.__class__ = CustomLocalChalice
            module.runtime().__dict__["functions"] = FunctionsHere(self)
            config = CLIFactory(str(ROOT)).create_config_obj("local")
        except BaseException:
            for name in _application_modules():
                del sys.modules[name]
            sys.modules.update(before)
            raise
        self._module, self._config = module, config

    def newest(self) -> dict[Path, int]:
        """The times of change of all files that `load` reads."""
        files = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
        return {path: path.stat().st_mtime_ns for path in files}

    def request_handler(self, request: Any, client: Any, server: Any) -> BaseHTTPRequestHandler:
        """Answer one connection with the newest code."""
        return RequestHandler(request, client, server, self._module.app, self._config)

    def schedules(self) -> dict[str, int]:
        """The seconds between two runs, by function."""
        return {
            event.name: _seconds(event.schedule_expression)
            for event in self._module.app.event_sources
            if isinstance(event, ScheduledEventConfig)
        }

    def queues(self) -> dict[str, tuple[str, int]]:
        """The queue that each function reads and its batch size."""
        return {
            event.name: (str(event.queue), event.batch_size)
            for event in self._module.app.event_sources
            if isinstance(event, SQSEventConfig)
        }

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call an event handler as Lambda does."""
        context = LambdaContext(function, memory_size=512, max_runtime_ms=120_000)
        return getattr(self._module, function)(event, context)


class FunctionsHere:
    """Stands for Lambda: functions that others start run in threads of this process."""

    def __init__(self, live: LiveApp) -> None:
        self._live = live

    def start(self, name: str, event: dict[str, Any]) -> None:
        threading.Thread(target=self.call, args=(name, event), daemon=True).start()

    def call(self, name: str, event: dict[str, Any]) -> Any:
        return self._live.invoke(name, event)


def _application_modules() -> dict[str, ModuleType]:
    return {
        name: module
        for name, module in sys.modules.items()
        if name == "app" or name.startswith("chalicelib.")
    }


def _seconds(expression: ScheduleExpression | str) -> int:
    """The period of `rate(5 minutes)`."""
    text = expression if isinstance(expression, str) else expression.to_string()
    number, unit = text.removeprefix("rate(").removesuffix(")").split()
    return int(number) * UNITS_S[unit.removesuffix("s")]
