"""Kills the pipeline at every AWS call, one call at a time, and compares what comes out.

    python -m benchmarks.faults [--step 19]

A story (fault_story.py) is lived on moto: once undisturbed, with every AWS call of the functions
counted; then once more for each call and moment (before it, after it), with a death there that goes
through everything, as the end of a process does. What was under way is delivered again once its
visibility timeout is over; a life that has come to where the undisturbed one was ends there. Then
every message is doubled, then reordered, then delayed. After each life states, incidents, results
and what receivers got must be those of the undisturbed one. Nothing here names a call: a new one,
of whatever service, is covered because it is made.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.fault_reaper import Lives, Reaper, finish, in_own_process
from benchmarks.fault_stage import Shuffle, Stage, stage
from benchmarks.fault_story import IncidentDetails, Known, Outcome, difference

_UNDISTURBED = "undisturbed"


@dataclass
class Report:
    """What was tried: points of death by function's call, and the lives that ended differently."""

    calls: list[str]
    outcome: Outcome
    points: int = 0
    orders: int = 0
    wrong: list[str] = field(default_factory=list)


def doubled(messages: list[Any]) -> list[Any]:
    return [one for message in messages for one in (message, message)]


def reordered(messages: list[Any]) -> list[Any]:
    return messages[::-1]


def lagging(number: int) -> float:
    """Every other message comes later, and so behind those that were sent after it."""
    return 20.0 if number % 2 else 0.0


def run(step: int = 1, most: int = 2) -> Report:
    """Try every point, `most` at a time; with a `step` only every so manieth call."""
    lives = Lives(most)
    reaper = Reaper(lives, lambda number: number % step == 0)
    with _furnished() as (found, story):
        in_own_process(lives, _UNDISTURBED, lambda: Known(story.marks, story.live()))
        story.known = lives.wait().pop(_UNDISTURBED)
        orders = _disturbed(lives, found, story)
        wanted = finish(lives, lambda: _watched(reaper, story))
    report = Report(reaper.calls, wanted, orders=orders)
    outcomes = lives.wait()
    report.points = len(outcomes) - orders
    for name, got in outcomes.items():
        if found_wrong := difference(wanted, got):
            report.wrong.append(f"{name}: {got.get('ended') or found_wrong}")
    return report


def _watched(reaper: Reaper, story: IncidentDetails) -> Outcome:
    with reaper.watching():
        is_whole = story.go()
    return story.outcome() if is_whole else story.known_outcome


@contextmanager
def _furnished() -> Iterator[tuple[Stage, IncidentDetails]]:
    with stage() as found:
        story = IncidentDetails(found)
        story.furnish()
        yield found, story


def _disturbed(lives: Lives, found: Stage, story: IncidentDetails) -> int:
    """Begin the lives whose messages are disturbed; returns how many they are."""

    def lag() -> Outcome:
        for queue in found.queues.values():
            queue.lag = lagging
        return story.live()

    shuffles: dict[str, Shuffle] = {"doubled": doubled, "reordered": reordered}
    for name, shuffle in shuffles.items():
        in_own_process(lives, name, partial(story.live, shuffle))
    in_own_process(lives, "delayed", lag)
    return len(shuffles) + 1


def main() -> int:
    """Run everything; 1 if a life ended differently."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--step", type=int, default=1, help="try only every so manieth call")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    started = time.monotonic()
    report = run(given.step, given.processes)
    names = ", ".join(f"{name} {times}" for name, times in Counter(report.calls).most_common())
    print(f"{len(report.calls)} AWS calls of tick, check, alert: {names}")
    print(f"{report.points} deaths injected, {report.orders} lives with disturbed messages")
    print(f"{len(report.wrong)} ended differently, in {time.monotonic() - started:.0f} s")
    for text in report.wrong:
        print(f"  {text}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
