"""What a check costs: the real handlers on moto, every unit counted.

    python -m benchmarks.cost [--targets 100] [--minutes 20] [--table]

An owner has so many targets at 60 s, on a server on loopback that answers after 150 ms. The
schedule's function and the worker run as they are deployed; time is simulated between them, so the
counts are exact and only the functions' own durations are measured. An hour's rollups, and a look
at every target's statistics once a day, are counted in; `--table` adds a month's costs.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from moto import mock_aws

from benchmarks import prices
from benchmarks.clockwork import START, Clock, SimulatedSqs
from benchmarks.comparison import month, table
from benchmarks.history_cost import KEPT_S, keep_history, live_an_hour
from benchmarks.metering import Meter, Spent
from chalicelib.alerting.handler import handle_alerts, handle_notices
from chalicelib.aws import dynamodb
from chalicelib.aws.sqs import Queue
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.target import Target
from chalicelib.runtime import Runtime
from chalicelib.targets import service as targets_service
from chalicelib.targets.validation import Draft
from chalicelib.users import service as users_service
from chalicelib.worker import scheduler
from chalicelib.worker.handler import handle_checks
from ops import resources

_MEMORY_GB = 0.5
_CALL_MS = 5
"""Taken for one call to DynamoDB or SQS from a function in the same region."""
_BOUNDS = {"write": 0.03, "read": 0.12, "sqs": 0.06, "usd": 0.25}


class Site(BaseHTTPRequestHandler):
    """Answers 200 after 150 ms."""

    def do_GET(self) -> None:
        time.sleep(0.15)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve() -> None:
    """Run the watched site on a port of its own choice, which it prints."""
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    print(server.server_port, flush=True)
    server.serve_forever()


@contextmanager
def _site() -> Iterator[str]:
    """The URL of the watched site; a process of its own, so that its CPU is not counted."""
    command = [sys.executable, "-c", "from benchmarks.cost import serve; serve()"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


class FunctionsHere:
    """Has `notify` run in this process; of the others it keeps what they were started with."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.started: list[dict[str, Any]] = []

    def call(self, _name: str, event: dict[str, Any]) -> Any:
        return handle_notices(self._runtime, event["Records"])

    def start(self, _name: str, event: dict[str, Any]) -> None:
        self.started.append(event)


@contextmanager
def _stage() -> Iterator[tuple[Runtime, SimulatedSqs, Clock]]:
    os.environ.update(
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",
        AWS_DEFAULT_REGION="us-east-1",
        STAGE="local",
    )
    with mock_aws():
        clock = Clock()
        sqs = SimulatedSqs(clock)
        sqs.alerts = SimulatedSqs(clock)
        runtime = Runtime.from_env({**os.environ, **resources.create("monitum-cost-")})
        runtime.clock = clock
        runtime.__dict__["checks"] = Queue(sqs, "checks")
        runtime.__dict__["alerts"] = Queue(sqs.alerts, "alerts")
        runtime.__dict__["functions"] = FunctionsHere(runtime)
        yield runtime, sqs, clock


def _populate(runtime: Runtime, count: int, url: str) -> tuple[str, list[Target]]:
    owner, _ = users_service.create_user("benchmark")
    made = []
    with acting_for(owner):
        for number in range(count):
            draft = Draft(
                name=f"Target {number}",
                kind="http",
                interval_s=60,
                timeout_s=10,
                failure_threshold=2,
                recovery_threshold=1,
                config={"url": f"{url}/a-path-of-usual-length/{number}"},
                expect={"status_codes": ["200-299"]},
            )
            made.append(targets_service.create(runtime, owner, draft))
    return owner, made


@dataclass
class Functions:
    """What the functions took, invocation by invocation."""

    invocations: int = 0
    spent: Spent = field(default_factory=Spent)

    def run(self, work: Callable[[], object]) -> object:
        started = Spent.now()
        answer = work()
        self.spent += Spent.now() - started
        self.invocations += 1
        return answer


def _run(runtime: Runtime, sqs: SimulatedSqs, clock: Clock, minutes: int) -> Functions:
    functions = Functions()
    for second in range(minutes * 60):
        if second % 60 == 0:
            functions.run(lambda: scheduler.run_tick(runtime))
        while records := sqs.receive():
            answer = functions.run(partial(handle_checks, runtime, records))
            assert answer == {"batchItemFailures": []}
        while records := sqs.alerts.receive():
            functions.run(partial(handle_alerts, runtime, records))
        clock.time += 1
    return functions


def measure(count: int, minutes: int) -> dict[str, float]:
    """Units, requests and milliseconds per check in the steady state, by name."""
    with _site() as url, _stage() as (runtime, sqs, clock):
        clock.time -= KEPT_S
        owner, made = _populate(runtime, count, url)
        clock.time = START
        sqs.forget()
        keep_history(runtime, owner, made)
        _run(runtime, sqs, clock, 3)
        sqs.meter = sqs.alerts.meter = meter = Meter(dynamodb.connection().client)
        checking = _run(runtime, sqs, clock, minutes)
        found = _per_check(checking, meter, count * minutes)
        meter.reset()
        history = Functions()
        live_an_hour(runtime, owner, made, history.run)
        for name, amount in _per_check(history, meter, count * 60).items():
            if " " not in name:
                found[f"{name} of history"] = amount
                found[name] += amount
    found["usd"] = _usd_per_million(found)
    return dict(sorted(found.items()))


def _per_check(functions: Functions, meter: Meter, checks: int) -> dict[str, float]:
    found = {name: amount / checks for name, amount in meter.counts.items()}
    found.update(
        write=meter.total("write") / checks,
        read=meter.total("read") / checks,
        sqs=meter.total("sqs") / checks,
        invocations=functions.invocations / checks,
        ms=_lambda_ms(functions, meter) / checks,
    )
    return found


def _lambda_ms(functions: Functions, meter: Meter) -> float:
    """The duration on Lambda: the emulator's share taken out, the network's put in.

    CPU is slower there: 512 MB are given 512/1769 of a vCPU.
    """
    own = functions.spent - meter.spent
    calls = meter.calls + meter.total("sqs send")
    slower = own.cpu * (1769 / 1024 / _MEMORY_GB - 1)
    return (own.wall + slower) * 1000 + calls * _CALL_MS


def _usd_per_million(found: dict[str, float]) -> float:
    return 1e6 * (
        found["write"] * prices.DYNAMODB_WRITE
        + found["read"] * prices.DYNAMODB_READ
        + found["sqs"] * prices.SQS_REQUEST
        + found["invocations"] * prices.LAMBDA_REQUEST
        + found["ms"] / 1000 * _MEMORY_GB * prices.LAMBDA_GB_SECOND
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=100)
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    found = measure(args.targets, args.minutes)
    print(f"{args.targets} targets at 60 s, {args.minutes} minutes in the steady state\n")
    print(f"{'per check':28} {'measured':>10} {'bound':>8}")
    rows = [
        ("DynamoDB write units", "write"),
        ("DynamoDB read units", "read"),
        ("SQS requests", "sqs"),
        ("Lambda invocations", "invocations"),
        ("Lambda ms at 512 MB*", "ms"),
    ]
    for label, name in rows:
        bound = _BOUNDS.get(name)
        print(f"{label:28} {found[name]:10.4f} {'' if bound is None else f'{bound:8.2f}'}")
        for part, amount in found.items():
            if part.startswith(f"{name} "):
                print(f"    {part.partition(' ')[2]:24} {amount:10.4f}")
    print(f"\n{'USD per million checks':28} {found['usd']:10.4f} {_BOUNDS['usd']:8.2f}")
    for part, usd in month(args.targets, found).items():
        print(f"USD a month, {part:26} {usd:8.2f}")
    if args.table:
        table(lambda count: measure(count, 5))
    print(f"\n* measured here, without the emulator, at {_CALL_MS} ms a call to DynamoDB or SQS")
    over = [name for name, bound in _BOUNDS.items() if found[name] > bound + 1e-9]
    if over:
        raise SystemExit(f"over the bound: {', '.join(over)}")


if __name__ == "__main__":
    main()
