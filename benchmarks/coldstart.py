"""How large the package is, and how long each function takes to be loaded: what a cold start adds.

    python -m benchmarks.coldstart [--package DIRECTORY] [--starts 7]

Builds the local stage's package (or takes one that is built), unpacks it and imports each handler
from it as Lambda does, in a process of its own with nothing beside it. Times are of the processor,
on one core, so that a busy machine tells the same; the median of the starts counts. Ends with 1
where a limit is broken.
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

from chalicelib.ops import package, stages

HANDLERS = {
    "api_handler": ("app.app", "app"),
    "tick": ("app.tick", "chalicelib.services.scheduling"),
    "check": ("app.check", "chalicelib.services.messages"),
    "fan_out": ("app.fan_out", "chalicelib.services.fanning"),
    "rollup": ("app.rollup", "chalicelib.services.background"),
    "alert": ("app.alert", "chalicelib.services.alerting"),
    "notify": ("app.notify", "chalicelib.services.alerting"),
}
"""By function: what Lambda calls, and what the handler imports when it is called; the API's imports
the module of the operation."""
MOST_BYTES = 8 * 1024 * 1024
MOST_MS = 350
CODE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
started = time.process_time()
import app
__import__(sys.argv[2])
ms = (time.process_time() - started) * 1000
print(json.dumps([ms, len(set(sys.modules) - before)]))
"""


def build() -> Path:
    """The directory of a package of the code as it is, for this machine."""
    directory = stages.local_directory() / "build" / "local"
    return package.build("local", directory).directory


def start(tree: Path, function: str) -> tuple[float, int]:
    """One start of a function: milliseconds of processor time, and modules loaded."""
    handler, module = HANDLERS[function]
    env = {"STAGE": "local", "TABLE_PREFIX": "monitum-local-", "_HANDLER": handler}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CODE, str(tree), module],
        env={**env, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    ms, modules = json.loads(done.stdout)
    return float(ms), int(modules)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="a directory with a deployment.zip")
    parser.add_argument("--starts", type=int, default=7)
    options = parser.parse_args(arguments)
    path = (options.package or build()) / "deployment.zip"
    size, broken = path.stat().st_size, False
    print(f"package: {size:,} bytes zipped, at most {MOST_BYTES:,}")
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(path) as archive:
        archive.extractall(place)
        print("\n| function | modules | import, ms |\n|---|---|---|")
        for function in HANDLERS:
            starts = [start(Path(place), function) for _ in range(options.starts)]
            ms = statistics.median(ms for ms, _ in starts)
            broken |= ms > MOST_MS
            print(f"| `{function}` | {starts[0][1]} | {ms:.0f} |")
    return int(broken or size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
