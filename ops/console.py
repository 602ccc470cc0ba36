"""Output of the commands: steps with their duration, and failures."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


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
