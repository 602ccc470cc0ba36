"""Measures the size of the package and the cold start of each function.

    python -m benchmarks.coldstart [--package DIRECTORY] [--starts 7]

Builds the local stage's package (or uses an existing one), unpacks it and imports each handler from
it as Lambda does, in a separate process without other libraries. Then the handler processes a first
event, against a moto server. Times are the medians of CPU time on one core, which depend little on
other load. The exit code is 1 if a limit is exceeded.
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
from ops.packaging import package

HANDLERS = {
    "api_handler": ("app.app", "app"),
    "tick": ("app.tick", "chalicelib.worker.scheduler"),
    "check": ("app.check", "chalicelib.worker.handler"),
    "fan_out": ("app.fan_out", "chalicelib.history.dispatch"),
    "rollup": ("app.rollup", "chalicelib.history.background_handler"),
    "alert": ("app.alert", "chalicelib.alerting.handler"),
    "notify": ("app.notify", "chalicelib.alerting.handler"),
}
"""By function: the handler that Lambda calls, and the module that the handler imports.

Modules that only some events need count towards the first event: routes, TLS and HTTP of checks.
"""
MAX_IMPORT_MS = 450
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
response = getattr(app, sys.argv[3])(event, SimpleNamespace(aws_request_id="cold"))
handled = time.process_time()
assert not response or response.get("statusCode", 200) < 300, response
print(json.dumps([(imported - started) * 1000, (handled - imported) * 1000, modules]))
"""


class Start(NamedTuple):
    """One start of a function: milliseconds of CPU time, and modules loaded by its import."""

    import_ms: float
    first_ms: float
    modules: int


def start(tree: Path, function: str, aws: Stage) -> Start:
    """Start a function and let it process a first event."""
    handler, module = HANDLERS[function]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CODE, str(tree), module, handler.partition(".")[2]],
        env={**aws.env, "_HANDLER": handler, "PATH": os.environ["PATH"]},
        input=json.dumps(aws.event(function)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # The lines before the last are the function's logs.
    import_ms, first_ms, modules = json.loads(done.stdout.splitlines()[-1])
    return Start(float(import_ms), float(first_ms), int(modules))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="a directory with a deployment.zip")
    parser.add_argument("--starts", type=int, default=7)
    options = parser.parse_args(arguments)
    directory = options.package or package.build_directory("local")
    if not options.package:
        package.build("local", directory)
    path = directory / "deployment.zip"
    size, is_slow = path.stat().st_size, False
    print(f"package: {size:,} bytes zipped, at most {package.MAX_ZIP_BYTES:,}")
    with (
        tempfile.TemporaryDirectory() as tree,
        zipfile.ZipFile(path) as archive,
        stage() as aws,
    ):
        archive.extractall(tree)
        # Alternate between the functions, so that other load affects all of them alike.
        rounds = [
            {name: start(Path(tree), name, aws) for name in HANDLERS} for _ in range(options.starts)
        ]
    print("\n| function | modules | import, ms | first event, ms |\n|---|---|---|---|")
    for name in HANDLERS:
        import_ms = statistics.median(one[name].import_ms for one in rounds)
        first_ms = statistics.median(one[name].first_ms for one in rounds)
        is_slow |= import_ms > MAX_IMPORT_MS
        print(f"| `{name}` | {rounds[0][name].modules} | {import_ms:.0f} | {first_ms:.0f} |")
    return int(is_slow or size > package.MAX_ZIP_BYTES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
