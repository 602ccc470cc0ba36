"""How large the package is, and how long each function takes to be loaded: what a cold start adds.

    python -m benchmarks.coldstart [--package DIRECTORY] [--starts 7]

Builds the local stage's package (or takes one that is built), unpacks it and imports each handler
from it as Lambda does, in a process of its own with nothing beside it; then has it handle a first
event, against moto behind a port. Times are of the processor, on one core, so that a busy machine
tells nearly the same; the median of the starts counts. Ends with 1 where a limit is broken.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.first_events import Stage, stage
from ops import package, stages

HANDLERS = {
    "api_handler": ("app.app", "app"),
    "tick": ("app.tick", "chalicelib.worker.scheduler"),
    "check": ("app.check", "chalicelib.worker.handler"),
    "fan_out": ("app.fan_out", "chalicelib.history.dispatch"),
    "rollup": ("app.rollup", "chalicelib.history.background_handler"),
    "alert": ("app.alert", "chalicelib.alerting.handler"),
    "notify": ("app.notify", "chalicelib.alerting.handler"),
}
"""By function: what Lambda calls, and what the handler imports when it is called.

What only some events need is part of the first event: the API's routes, TLS and HTTP of checks.
"""
MOST_BYTES = 8 * 1024 * 1024
MOST_MS = 350
CODE = """
import json, sys, time
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
event = json.load(sys.stdin)
before = set(sys.modules)
started = time.process_time()
import app
__import__(sys.argv[2])
imported = time.process_time()
modules = len(set(sys.modules) - before)
answer = getattr(app, sys.argv[3])(event, SimpleNamespace(aws_request_id="cold"))
handled = time.process_time()
assert not answer or answer.get("statusCode", 200) < 300, answer
print(json.dumps([(imported - started) * 1000, (handled - imported) * 1000, modules]))
"""


class Start(NamedTuple):
    """One start of a function: milliseconds of processor time, and modules loaded at its import."""

    import_ms: float
    first_ms: float
    modules: int


def build() -> Path:
    """The directory of a package of the code as it is, for this machine."""
    directory = stages.local_directory() / "build" / "local"
    return package.build("local", directory).directory


def start(tree: Path, function: str, aws: Stage) -> Start:
    """Start a function and have it handle a first event."""
    handler, module = HANDLERS[function]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CODE, str(tree), module, handler.partition(".")[2]],
        env={**aws.env, "_HANDLER": handler, "PATH": os.environ["PATH"]},
        input=json.dumps(aws.event(function)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # The last line: those before are the function's logs.
    import_ms, first_ms, modules = json.loads(done.stdout.splitlines()[-1])
    return Start(float(import_ms), float(first_ms), int(modules))


def median(starts: list[Start]) -> Start:
    """The start in the middle by each of its times."""
    import_ms = statistics.median(one.import_ms for one in starts)
    return Start(import_ms, statistics.median(one.first_ms for one in starts), starts[0].modules)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="a directory with a deployment.zip")
    parser.add_argument("--starts", type=int, default=7)
    options = parser.parse_args(arguments)
    path = (options.package or build()) / "deployment.zip"
    size, broken = path.stat().st_size, False
    print(f"package: {size:,} bytes zipped, at most {MOST_BYTES:,}")
    with (
        tempfile.TemporaryDirectory() as place,
        zipfile.ZipFile(path) as archive,
        stage() as aws,
    ):
        archive.extractall(place)
        # One of each function at a time, so that all of them meet what else the machine does.
        rounds = [
            {name: start(Path(place), name, aws) for name in HANDLERS}
            for _ in range(options.starts)
        ]
    print("\n| function | modules | import, ms | first event, ms |\n|---|---|---|---|")
    for name in HANDLERS:
        found = median([one[name] for one in rounds])
        broken |= found.import_ms > MOST_MS
        print(f"| `{name}` | {found.modules} | {found.import_ms:.0f} | {found.first_ms:.0f} |")
    return int(broken or size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
