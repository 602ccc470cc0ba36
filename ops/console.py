"""What the commands say: short steps with their time, and failures in plain words."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Failure(Exception):
    """The command cannot go on; the text says what is wrong and what to do about it."""


def say(text: str) -> None:
    print(text, flush=True)


def fail(error: Failure) -> int:
    """Print a failure the way every command ends; returns the exit code."""
    print(f"\nerror: {error}", file=sys.stderr, flush=True)
    return 1


def confirm(question: str, wanted: str) -> None:
    """Have somebody type `wanted`; raises Failure for anything else, and where nobody is asked."""
    try:
        answer = input(question)
    except EOFError:
        answer = ""
    if answer.strip() != wanted:
        raise Failure("nothing was done: it was not agreed to (YES=1 agrees in scripts)")


@contextmanager
def step(text: str) -> Iterator[None]:
    """One line for one step: its name at once, its seconds when it is done."""
    print(f"  {text} ...", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)
