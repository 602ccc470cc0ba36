"""Output of the commands: steps with their duration, and failures."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ops import ROOT


class Failure(Exception):
    """An error that ends the command; the text says what is wrong and what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def fail(error: Failure) -> int:
    """Print a failure; returns the exit code."""
    print(f"\nerror: {error}", file=sys.stderr, flush=True)
    return 1


def confirm(question: str, expected: str) -> None:
    """Ask the user to type `expected`; raises Failure otherwise, and without a terminal."""
    try:
        typed = input(question)
    except EOFError:
        typed = ""
    if typed.strip() != expected:
        raise Failure("nothing was done: not confirmed (in scripts, YES=1 confirms)")


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print a line for one step: its name first, its duration when it is done."""
    print(f"  {text} ...", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def run_command(*arguments: str, error: str) -> str:
    """Run `python -m ops` in a separate process and return its output.

    Raises:
        Failure: the command failed; its text is `error` and the end of the output.
    """
    command = [sys.executable, "-m", "ops", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{error}:\n" + (done.stderr or done.stdout)[-3000:])
    return done.stdout
