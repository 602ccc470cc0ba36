"""A hundred, ten thousand and a million targets through the real scheduler and check pipeline.

    python -m benchmarks.scale [--targets 100 10000 1000000] [--minutes 2]

AWS is simulated in memory with its limits (benchmarks/simulated.py), checks are answered by a model
of response times, and time is simulated. The code between is what runs in the functions: reading
what is due, sending it, reading lanes, applying results, packing and writing them.
"""

import argparse
import logging
import random
import resource
import time
import tracemalloc
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

from benchmarks import prices
from benchmarks.population import EVERY_MINUTE, MIXED, is_dead, is_slow, populate
from benchmarks.simulated import PARTITION_READS, PARTITION_WRITES, Dynamo, Sqs
from chalicelib.aws import dynamodb
from chalicelib.aws.sqs import Queue
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.runtime import Runtime
from chalicelib.worker.handler import handle_checks
from chalicelib.worker.scheduler import run_tick

START: Final = 1_795_000_020 // 60 * 60
PREFIX: Final = "monitum-scale-"
BATCH: Final = 5
"""Messages an invocation takes at most, as in app.py."""
VCPU: Final = 512 / 1769
CHECK_CPU_S: Final = 0.002
"""Of a whole core, for one HTTPS check: see docs/checks.md."""
STARTS_S: Final = max(CHECK_CPU_S / VCPU, 0.02 / 8)
"""From the start of one check to that of the next: CPU, or the gate's patience."""
CALL_S: Final = 0.005
POLL_S: Final = 0.02
WINDOW_S: Final = 0.1
CONCURRENT: Final = 128
_TIMEOUT = CheckResult(Verdict.DOWN, Reason.TIMEOUT, timings=Timings(first_byte=10_000), error="t")


@dataclass
class Clock:
    time: float = START

    def __call__(self) -> float:
        return self.time


@dataclass
class Measured:
    """What a run came to."""

    lateness: list[float] = field(default_factory=list)
    tick_cpu_s: list[float] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    lambda_s: float = 0.0


class ModelChecker:
    """Answers checks by a model: most in 150 ms or so, some slow, some never, few failing."""

    def __init__(self, clock: Clock, measured: Measured) -> None:
        self._clock, self._measured = clock, measured
        self._chance = random.Random(5)
        self._quick = [self._answer(0.15, 0.5) for _ in range(512)]
        self._slow = [self._answer(3.0, 0.3) for _ in range(64)]
        self.ticks: list[int] = []

    def _answer(self, median_s: float, spread: float) -> CheckResult:
        took = min(9_000, int(1000 * median_s * self._chance.lognormvariate(0, spread)))
        return CheckResult(Verdict.UP, status_code=200, timings=Timings(3, 20, 40, took, 2))

    def check_lanes(
        self, lanes: Mapping[int, Sequence[CheckSpec]], *, owner: Callable[[int], Hashable]
    ) -> Iterator[tuple[int, dict[int, CheckResult]]]:
        del owner  # nobody waits for anybody here
        start, running, done = self._clock.time, list[float](), list[tuple[float, int]]()
        found: dict[int, dict[int, CheckResult]] = {}
        for number, specs in lanes.items():
            last, tick, results = start, self.ticks[number], {}
            for spec in specs:
                if len(running) >= CONCURRENT:
                    start = max(start, heappop(running))
                self._measured.lateness.append(start - tick)
                result = results[spec.place] = self._result(spec)
                end = start + result.timings.total / 1000
                heappush(running, end)
                last = max(last, end)
                start += STARTS_S
            found[number] = results
            done.append((last, number))
        for end, number in sorted(done):
            self._clock.time = end
            yield number, found[number]

    def _result(self, spec: CheckSpec) -> CheckResult:
        if is_dead(spec.target_id) or self._chance.random() < 0.0002:
            return _TIMEOUT
        answers = self._slow if is_slow(spec.target_id) else self._quick
        return answers[int(self._chance.random() * len(answers))]


class Stage:
    """One simulated stage with so many targets."""

    def __init__(self, count: int, intervals: tuple[int, ...]) -> None:
        self.clock, self.measured = Clock(), Measured()
        runtime = Runtime.from_env(
            {"STAGE": "prod", "TABLE_PREFIX": PREFIX, "AWS_REGION": "us-east-1"}
        )
        self.dynamo = Dynamo(self.clock, PREFIX)
        connection = dynamodb.Table._shared  # noqa: SLF001 - the seam below the store
        assert connection is not None
        connection._client = self.dynamo  # type: ignore[assignment]  # noqa: SLF001 - the same seam
        self.sqs, self.checker = Sqs(self.clock), ModelChecker(self.clock, self.measured)
        runtime.clock = self.clock
        runtime.__dict__.update(checks=Queue(self.sqs, "checks"), checker=self.checker)
        runtime.__dict__["alerts"] = Queue(_Nowhere(), "alerts")
        runtime.__dict__["functions"] = _NoFunctions()
        self.runtime = runtime
        self.shards = populate(self.dynamo, count, intervals, START)

    def run(self, minutes: int) -> None:
        """Live through so many minutes: ticks on time, messages as they become visible."""
        for minute in range(minutes):
            now = START + 60 * minute
            for shard in range(self.shards):
                self.clock.time = now + 1
                self._tick(shard)
            while taken := self.sqs.receive(now + 60, BATCH, WINDOW_S):
                self._invoke(*taken)

    def _tick(self, shard: int) -> None:
        before, calls = time.process_time(), self.dynamo.calls + self.sqs.requests
        run_tick(self.runtime, shard)
        cpu_s = time.process_time() - before
        waited = (self.dynamo.calls + self.sqs.requests - calls) * CALL_S
        self.measured.tick_cpu_s.append(cpu_s)
        self.measured.lambda_s += cpu_s / VCPU + waited

    def _invoke(self, visible: float, bodies: list[str]) -> None:
        begin = visible + POLL_S
        self.clock.time = begin + 2 * CALL_S
        self.checker.ticks = [_tick_of(body) for body in bodies]
        records = [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]
        answer = handle_checks(self.runtime, records)
        assert answer == {"batchItemFailures": []}
        end = self.clock.time + CALL_S
        self.measured.spans.append((begin, end))
        self.measured.lambda_s += end - begin

    def tick_memory_mb(self) -> float:
        """What a run of the fullest shard allocates at most; it sends nothing."""
        self.clock.time += 3_600
        self.runtime.__dict__["checks"] = Queue(_Nowhere(), "checks")
        tracemalloc.start()
        run_tick(self.runtime, 0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / 2**20


class _NoFunctions:
    def start(self, name: str, event: dict[str, Any]) -> None:
        """Do nothing: the driver runs every shard itself."""


class _Nowhere:
    def send_message_batch(self, **_: Any) -> dict[str, Any]:
        return {}


def _tick_of(body: str) -> int:
    start = body.index('"tick":') + 7
    return int(body[start : start + 10])


def concurrency(spans: Sequence[tuple[float, float]]) -> int:
    """The most invocations at one time."""
    edges = sorted(edge for begin, end in spans for edge in ((begin, 1), (end, -1)))
    now = most = 0
    for _, change in edges:
        now += change
        most = max(most, now)
    return most


def report(count: int, intervals: tuple[int, ...], minutes: int) -> dict[str, str]:
    """One line of the table."""
    stage = Stage(count, intervals)
    stage.run(minutes)
    measured, dynamo = stage.measured, stage.dynamo
    lateness = sorted(measured.lateness)
    checks = len(lateness)
    write, read = dynamo.total("write"), dynamo.total("read")
    invocations = len(measured.spans) + len(measured.tick_cpu_s)
    usd = (
        write * prices.DYNAMODB_WRITE
        + read * prices.DYNAMODB_READ
        + stage.sqs.requests * prices.SQS_REQUEST
        + invocations * prices.LAMBDA_REQUEST
        + measured.lambda_s * 0.5 * prices.LAMBDA_GB_SECOND
    )
    hottest = f"{dynamo.hottest('write'):.0f} / {dynamo.hottest('read'):.0f}"
    assert dynamo.hottest("write") <= PARTITION_WRITES
    return {
        "targets": f"{count:,}" + (" at 60 s" if intervals == EVERY_MINUTE else " mixed"),
        "checks": f"{checks:,}",
        "lateness p50 / p99 s": f"{lateness[checks // 2]:.2f} / {lateness[checks * 99 // 100]:.2f}",
        "shards": str(stage.shards),
        "tick s of a vCPU": f"{max(measured.tick_cpu_s):.2f}",
        "tick MB": f"{stage.tick_memory_mb():.0f}",
        "messages": f"{stage.sqs.messages:,}",
        "invocations": f"{invocations:,}",
        "concurrency": str(concurrency(measured.spans)),
        "write units a check": f"{write / checks:.4f}",
        "read units a check": f"{read / checks:.4f}",
        "SQS requests a check": f"{stage.sqs.requests / checks:.4f}",
        "hottest partition W / R a s": hottest,
        "USD a million checks": f"{1e6 * usd / checks:.3f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, nargs="+", default=[100, 10_000, 1_000_000])
    parser.add_argument("--minutes", type=int, default=2)
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    runs = [(count, MIXED) for count in args.targets] + [(args.targets[-1], EVERY_MINUTE)]
    for count, intervals in runs:
        started = time.perf_counter()
        for name, value in report(count, intervals, args.minutes).items():
            print(f"{name:30} {value}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"(took {time.perf_counter() - started:.0f} s here, {peak:.1f} GB)\n", flush=True)
    print(f"limits of a partition: {PARTITION_WRITES} W, {PARTITION_READS} R a second")


if __name__ == "__main__":
    main()
