"""Kills the pipeline at every AWS call, one call at a time, and compares what comes out.

    python -m benchmarks.faults

A story is lived on moto: targets of an owner fail and recover, one is paused, one is deleted. It is
lived once undisturbed, with every AWS call of the functions counted; then once more for each call
and moment (before it, after it), with a death there that goes through everything, as the end of a
process does. What was under way is delivered again once its visibility timeout is over. Then every
message is doubled, then delayed and reordered. After each life states, incidents, results and what
receivers got must be those of the undisturbed one. Nothing here names a call: a new one is covered
because it is made.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.fault_stage import Outcome, Stage, difference, stage

Moment = Literal["before", "after"]


class Death(BaseException):
    """The end of a process: nothing of ours catches it."""


@dataclass
class Reaper:
    """Counts the calls of the functions and kills at one of them."""

    kill_at: int | None = None
    moment: Moment = "before"
    calls: list[str] = field(default_factory=list)
    killed: bool = False

    def before(self, model: Any, **_: object) -> None:
        self.calls.append(model.name)
        self._strike("before")

    def after(self, **_: object) -> None:
        self._strike("after")

    def _strike(self, moment: Moment) -> None:
        due = self.kill_at == len(self.calls) - 1 and moment == self.moment
        if due and not self.killed:
            self.killed = True
            raise Death


@dataclass
class Report:
    """What was tried: points of death by function's call, and the lives that ended differently."""

    calls: list[str]
    points: int = 0
    orders: int = 0
    wrong: list[str] = field(default_factory=list)


def watch(found: Stage, reaper: Reaper) -> None:
    """Have the reaper see every call of every client that the functions use."""
    for client in found.clients:
        client.meta.events.register("before-call", reaper.before, unique_id="reaper-before")
        client.meta.events.register("after-call", reaper.after, unique_id="reaper-after")


def live(reaper: Reaper, shuffle: Callable[[list[Any]], list[Any]] | None = None) -> Outcome:
    """One life of the story from beginning to end."""
    with stage(Death) as found:
        found.furnish()
        watch(found, reaper)
        return found.live(shuffle)


def doubled(messages: list[Any]) -> list[Any]:
    return [one for message in messages for one in (message, message)]


def reordered(messages: list[Any]) -> list[Any]:
    return messages[::-1]


def run(step: int = 1, say: Callable[[str], None] = lambda _: None) -> Report:
    """Try every point; with a `step` only every so manieth."""
    counted = Reaper()
    wanted = live(counted)
    report = Report(counted.calls)
    for number in range(0, len(counted.calls), step):
        for moment in ("before", "after"):
            reaper = Reaper(number, moment)
            got = live(reaper)
            report.points += reaper.killed
            _compare(report, f"{moment} call {number} ({counted.calls[number]})", wanted, got)
        if number % 20 == 0:
            say(f"{number} of {len(counted.calls)} calls, {len(report.wrong)} wrong")
    for name, shuffle in (("doubled", doubled), ("reordered", reordered)):
        report.orders += 1
        _compare(report, name, wanted, live(Reaper(), shuffle))
    return report


def _compare(report: Report, name: str, wanted: Outcome, got: Outcome) -> None:
    if found := difference(wanted, got):
        report.wrong.append(f"{name}: {found}")


def main() -> int:
    """Run everything; 1 if a life ended differently."""
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    started = time.monotonic()
    report = run(step, print)
    names = sorted(set(report.calls))
    print(f"{len(report.calls)} AWS calls of tick, check, alert: {', '.join(names)}")
    print(f"{report.points} deaths injected, {report.orders} lives with disturbed messages")
    print(f"{len(report.wrong)} ended differently, in {time.monotonic() - started:.0f} s")
    for text in report.wrong:
        print(f"  {text}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
