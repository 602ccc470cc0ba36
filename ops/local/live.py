"""The application in a running process, reloadable when its code changes."""

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

from ops import ROOT
from ops.local.gateway import RequestHandler

UNITS_S = {"minute": 60, "hour": 3600, "day": 86400}


class LiveApp:
    """`app.py` and the modules that it imports, reloaded on demand.

    `load` replaces the attributes at its end, so that requests and events in progress finish with
    the code that they started with.
    """

    def __init__(self) -> None:
        self._module: ModuleType
        self._config: Config

    def load(self) -> None:
        """Import the application again; raises what the import raises and keeps the old code."""
        before = _application_modules()
        for name in before:
            del sys.modules[name]
        try:
            module = importlib.import_module("app")
            # Dispatch loads routes at their first call. Import them all, to show their errors now.
            importlib.import_module("chalicelib.routes")
            # As `chalice local` does, for an application that serves several threads.
            CustomLocalChalice.__bases__ = (LocalChalice, Chalice)
            module.app.__class__ = CustomLocalChalice
            module.runtime().__dict__["functions"] = LocalFunctions(self)
            config = CLIFactory(str(ROOT)).create_config_obj("local")
        except BaseException:
            for name in _application_modules():
                del sys.modules[name]
            sys.modules.update(before)
            raise
        self._module, self._config = module, config

    def modification_times(self) -> dict[Path, int]:
        """The modification times of all files that `load` reads."""
        files = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
        return {path: path.stat().st_mtime_ns for path in files}

    def request_handler(self, request: Any, client: Any, server: Any) -> BaseHTTPRequestHandler:
        """Handle one connection with the newest code."""
        return RequestHandler(request, client, server, self._module.app, self._config)

    def schedules(self) -> dict[str, int]:
        """The period of each scheduled function in seconds."""
        return {
            event.name: _seconds(event.schedule_expression)
            for event in self._module.app.event_sources
            if isinstance(event, ScheduledEventConfig)
        }

    def queues(self) -> dict[str, tuple[str, int]]:
        """The queue and the batch size of each function that reads a queue."""
        return {
            event.name: (str(event.queue), event.batch_size)
            for event in self._module.app.event_sources
            if isinstance(event, SQSEventConfig)
        }

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call an event handler as Lambda does."""
        context = LambdaContext(function, memory_size=512, max_runtime_ms=120_000)
        return getattr(self._module, function)(event, context)


class LocalFunctions:
    """Replaces the Lambda client: invoked functions run in this process."""

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
