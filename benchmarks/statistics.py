"""What statistics of many targets take: `GET /v1/stats` over thousands of them and up to a year.

    python -m benchmarks.statistics [--targets 1000 10000] [--windows 24h 30d 365d]

A process on loopback answers as DynamoDB would, with history of targets checked each minute; what
is measured is what the API's function would do with it: read, sum up, render. A call takes 5 ms.
`--alone` has targets share their lanes with others that do not count, as those with a tag may.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.history_server import LANE, OWNER, START
from benchmarks.metering import Spent
from chalicelib.aws import dynamodb
from chalicelib.aws.tenancy import acting_for
from chalicelib.history.aggregation import QueryTooLargeError
from chalicelib.history.schemas import WINDOWS_S, StatsOut
from chalicelib.history.service import MAX_CPU_S, retention, statistics
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.runtime import Runtime

_PREFIX = "monitum-statistics-"


@contextmanager
def _history(count: int) -> Iterator[str]:
    """The URL of what stands for DynamoDB."""
    command = [sys.executable, "-m", "benchmarks.history_server", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def _runtime(url: str) -> Runtime:
    os.environ.update(
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=url,
    )
    runtime = Runtime.from_env({"STAGE": "prod", "TABLE_PREFIX": _PREFIX, **os.environ})
    runtime.clock = lambda: float(START)
    return runtime


class Meter:
    """Counts calls and bytes of answers."""

    def __init__(self) -> None:
        self.calls, self.bytes = 0, 0
        dynamodb.connection().client.meta.events.register("response-received.dynamodb", self._count)

    def _count(self, response_dict: dict[str, Any] | None, **_: object) -> None:
        self.calls += 1
        self.bytes += len(response_dict["body"]) if response_dict else 0


def measure(count: int, window: str, *, alone: bool) -> str:
    """One line of the table."""
    with _history(count) as url:
        runtime = _runtime(url)
        meter, started = Meter(), Spent.now()
        with acting_for(OWNER):
            targets = list(Targets(OWNER).all())
            start = max(START - WINDOWS_S[window], retention(runtime).days)
            lanes = () if alone else {target.lane for target in targets}
            try:
                found = statistics(runtime, OWNER, targets, (start, START), whole_lanes=lanes)
            except QueryTooLargeError:
                return f"{count:>8,} {window:>6}   refused"
        answer = StatsOut.of(found, count).model_dump_json()
        spent = Spent.now() - started
        share = found.whole.known_s / (count * (found.whole.end - found.whole.start))
        assert share > 0.9, "the history is not whole"
    return (
        f"{count:>8,} {window:>6} {meter.calls:>7,} {meter.bytes / 1e6:>7.1f} {spent.cpu:>7.1f} "
        f"{spent.wall:>7.1f} {len(answer) / 1e3:>9.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--windows", nargs="+", default=[*WINDOWS_S])
    parser.add_argument("--alone", action="store_true")
    args = parser.parse_args()
    print(f"{LANE} targets a lane; what takes more than {MAX_CPU_S} s of a vCPU is refused\n")
    print(" targets window   calls      MB   CPU s  wall s answer KB")
    for count in args.targets:
        for window in args.windows:
            print(measure(count, window, alone=args.alone), flush=True)
            time.sleep(0.1)


if __name__ == "__main__":
    main()
