"""How fast the checker is beside other clients: `python -m benchmarks.checker`.

Servers run on one core, the client on another (on the same one where there is but one). Rounds
alternate, so that what else the machine does falls on all; medians and ratios are printed. CPU is
the client process's own. The comparators are in benchmarks/requirements.txt; one that
is not installed is left out.
"""

import argparse
import importlib.util
import multiprocessing
import multiprocessing.connection
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import certifi

from benchmarks.checker_clients import CLIENTS, CONCURRENCY, Measured, measure
from benchmarks.checker_servers import SLOW_S, Ports, servers
from tests.probes.pki import Authority

SCENES: Final = {"https": 1000, "http": 1000, "https slow": 500}
NAIVE: Final = "requests, naive"
NAIVE_COUNT: Final = 100
IDLE: Final = 0.85
OURS: Final = "monitum"
NEEDS: Final = {"aiohttp": "aiohttp", "pycurl": "pycurl"}
Results = dict[tuple[str, str], list[tuple[int, Measured]]]


def main() -> int:
    """Run the rounds and print the tables; 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds: int = parser.parse_args().rounds
    cores = sorted(os.sched_getaffinity(0))
    client_core, server_cores = cores[0], set(cores[1:]) or {cores[0]}
    results: Results = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority.make()
        ca_file = Path(folder) / "ca.pem"
        ca_file.write_bytes(Path(certifi.where()).read_bytes() + authority.pem())
        certificate = authority.issue(Path(folder) / "server.pem")
        with servers(certificate, server_cores) as ports:
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", file=sys.stderr)
                _round(results, ports, str(ca_file), client_core)
    return _report(results)


def _clients() -> Iterable[str]:
    for name in CLIENTS:
        if name not in NEEDS or importlib.util.find_spec(NEEDS[name]):
            yield name


def _round(results: Results, ports: Ports, ca_file: str, core: int) -> None:
    for scene, count in SCENES.items():
        for name in _clients():
            if name == NAIVE and scene == "https slow":
                continue
            many = NAIVE_COUNT if name == NAIVE else count
            url = f"{scene.split()[0]}://localhost:{ports[scene]}/"
            results[scene, name].append((many, _alone(core, name, url, many, ca_file)))


def _alone(core: int, name: str, url: str, count: int, ca_file: str) -> Measured:
    """Measure a client in a process of its own on one core."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, core, name, url, count, ca_file))
    process.start()
    measured: Measured = receiver.recv()
    process.join()
    return measured


def _child(
    sender: "multiprocessing.connection.Connection[Measured, None]",
    core: int,
    name: str,
    url: str,
    count: int,
    ca_file: str,
) -> None:
    os.sched_setaffinity(0, {core})
    sender.send(measure(name, url, count, ca_file))


def _report(results: Results) -> int:
    cpu: dict[tuple[str, str], float] = {}
    for scene, count in SCENES.items():
        print(f"\n{scene}: {count} checks, {CONCURRENCY} at a time, a new connection each")
        print(f"{'client':18}{'CPU ms/check':>14}{'checks/s':>10}{'wall s':>8}"
              f"{'p50 ms':>8}{'p99 ms':>8}{'CPU / ours':>12}")  # fmt: skip
        ours = _cpu_ms(results[scene, OURS])
        for name in _clients():
            runs = results.get((scene, name))
            if runs:
                cpu[scene, name] = _cpu_ms(runs)
                _print_line(name, runs, cpu[scene, name] / ours)
    return _judge(results, cpu)


def _cpu_ms(runs: Sequence[tuple[int, Measured]]) -> float:
    return statistics.median(run.cpu_s / count * 1000 for count, run in runs)


def _print_line(name: str, runs: Sequence[tuple[int, Measured]], ratio: float) -> None:
    wall = statistics.median(run.wall_s for _, run in runs)
    rate = statistics.median(count / run.wall_s for count, run in runs)
    p50, p99 = _quantile(runs, 0.50), _quantile(runs, 0.99)
    print(
        f"{name:18}{_cpu_ms(runs):>14.2f}{rate:>10.0f}{wall:>8.2f}"
        f"{p50 * 1000:>8.0f}{p99 * 1000:>8.0f}{ratio:>12.2f}"
    )


def _quantile(runs: Sequence[tuple[int, Measured]], share: float) -> float:
    """Return the median over the rounds of a quantile of the response times, in seconds."""
    return statistics.median(
        sorted(run.response_s)[int(len(run.response_s) * share)] for _, run in runs
    )


def _judge(results: Results, cpu: dict[tuple[str, str], float]) -> int:
    slow = results["https slow", OURS]
    p50, p99 = _quantile(slow, 0.50), _quantile(slow, 0.99)
    bounds = [
        ("CPU for HTTPS / pycurl", _ratio(cpu, OURS, "pycurl"), 2.2),
        ("CPU for HTTPS / naive requests", _ratio(cpu, OURS, NAIVE), 0.1),
        ("500 slow HTTPS checks, s", statistics.median(run.wall_s for _, run in slow), 2.0),
        (f"p50 / true {SLOW_S * 1000:.0f} ms", p50 / SLOW_S, 1.15),
        (f"p99 / true {SLOW_S * 1000:.0f} ms", p99 / SLOW_S, 1.60),
    ]
    share = statistics.median(run.cpu_s / run.wall_s for _, run in results["https", OURS])
    print(f"\nbounds (the client had {share:.0%} of its core)")
    if share < IDLE:
        print("the machine is busy: times, unlike CPU and ratios, tell of that; run it when idle")
    for name, value, most in bounds:
        verdict = "not measured" if value is None else "holds" if value <= most else "BROKEN"
        print(f"{name:34}{value or 0:>8.2f}  at most {most:<6}{verdict}")
    return int(any(value is not None and value > most for _, value, most in bounds))


def _ratio(cpu: dict[tuple[str, str], float], name: str, other: str) -> float | None:
    known = cpu.get(("https", other))
    return cpu["https", name] / known if known else None


if __name__ == "__main__":
    sys.exit(main())
