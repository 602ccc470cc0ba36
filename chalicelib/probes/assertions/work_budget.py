"""The budget of work that evaluating JSON conditions may take."""

from dataclasses import dataclass


class BadPath(ValueError):
    """A JSONPath that is not valid; str() says why."""


class TooMuchWork(Exception):
    """A document, or a path on it, takes more work or time than a check has."""


@dataclass(slots=True)
class Budget:
    """What an evaluation may take: steps, and the instant (monotonic) by which it ends."""

    steps: int
    until: float
