"""What all importers need: names, intervals, and a list of everything that is not taken over."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from monitum_cli.errors import Exit, Failure
from monitum_cli.manifest.yamltext import MOST_BYTES

INTERVALS_S = (10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 21600, 43200, 86400)
_LONGEST_NAME, _LONGEST_TAG = 200, 50
_LONGEST_TIMEOUT_S = 25
_MOST_FAILURES = 10
BY_NAME = "by name only"
"""The tag of channels that are to be told of nothing but what names them."""


@dataclass
class Imported:
    """A file in the making, and what has to be told about it."""

    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    secrets: int = 0
    left_out: int = 0

    def note(self, about: str, what: str) -> None:
        self.notes.append(f"{about}: {what}")

    def leave_out(self, about: str, why: str) -> None:
        """Tell of something that is not in the file at all."""
        self.left_out += 1
        self.note(about, f"left out: {why}")

    @contextmanager
    def item(self, about: str) -> Iterator[None]:
        """Take one thing; where it is not as the format has it, it is left out and told of."""
        try:
            yield
        except Failure as failure:
            self.leave_out(about, str(failure))
        except (AttributeError, KeyError, TypeError, ValueError):
            self.leave_out(about, "it is not as the format has it")

    def add_channel(self, name: str, channel: dict[str, Any]) -> str:
        chosen = self._free(name, self.channels)
        self.channels[chosen] = channel
        return chosen

    def add_target(self, name: str, target: dict[str, Any]) -> str:
        chosen = self._free(name, self.targets)
        self.targets[chosen] = {
            key: value for key, value in target.items() if value not in (None, [], {})
        }
        return chosen

    def things(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The sections of the file. Whoever told nobody goes on telling nobody."""
        silent = [name for name, target in self.targets.items() if not target.get("channels")]
        if self.channels and silent:
            for channel in self.channels.values():
                channel["tags"] = [BY_NAME]
        return {"channels": self.channels, "targets": self.targets}

    def _free(self, name: str, taken: Mapping[str, Any]) -> str:
        """The name as we take it, with a number where it is taken already."""
        wanted = one_line(name, _LONGEST_NAME - 6) or "unnamed"
        chosen, number = wanted, 1
        while chosen in taken:
            number += 1
            chosen = f"{wanted} ({number})"
        if chosen != name:
            self.note(name, f"is called {chosen!r} here")
        return chosen


class Given:
    """The fields of one thing; what is not taken is told of at the end."""

    def __init__(self, fields: Mapping[str, Any], harmless: frozenset[str] = frozenset()) -> None:
        self._fields = {name: value for name, value in fields.items() if name not in harmless}

    def take(self, name: str, default: Any = None) -> Any:
        """A field's value, or the default where there is none."""
        value = self._fields.pop(name, None)
        return default if value is None else value

    def text(self, name: str, default: str = "") -> str:
        return str(self.take(name, default))

    def map(self, name: str) -> dict[str, Any]:
        value = self.take(name)
        return value if isinstance(value, dict) else {}

    def list(self, name: str) -> list[Any]:
        value = self.take(name)
        return value if isinstance(value, list) else []

    def rest(self) -> Iterator[tuple[str, Any]]:
        """What was not taken and says something."""
        for name, value in self._fields.items():
            if value not in (None, "", [], {}, False, 0):
                yield name, value


def one_line(text: str, longest: int) -> str:
    """A text as a name has to be: one printable line without space around it."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    return " ".join(words)[:longest].strip()


def tag(text: str) -> str:
    return one_line(text, _LONGEST_TAG)


def tags(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(tag, texts))))


def interval(imported: Imported, about: str, seconds: float) -> int:
    """The longest interval of ours that is not longer."""
    chosen = max((one for one in INTERVALS_S if one <= seconds), default=INTERVALS_S[0])
    if chosen != seconds:
        imported.note(about, f"is checked every {chosen} s instead of every {seconds:g} s")
    return chosen


def timeout(imported: Imported, about: str, seconds: float, interval_s: int) -> int:
    """The timeout as we take it: whole seconds, not longer than the interval."""
    chosen = max(1, min(round(seconds), _LONGEST_TIMEOUT_S, interval_s))
    if chosen != round(seconds):
        imported.note(about, f"has {chosen} s to answer instead of {seconds:g} s")
    return chosen


def failures(count: int) -> int:
    return max(1, min(count, _MOST_FAILURES))


def status_codes(texts: list[Any]) -> list[int | str]:
    """`["200-299", "301"]` as we write it; raises Failure for what is none."""
    codes: list[int | str] = []
    for text in map(str, texts):
        if re.fullmatch(r"[1-5]\d\d", text, re.ASCII):
            codes.append(int(text))
        elif re.fullmatch(r"[1-5]\d\d-[1-5]\d\d", text, re.ASCII):
            codes.append(text)
        else:
            raise Failure(f"{text!r} is no status code", Exit.INVALID)
    return codes


def check_size(name: str, raw: bytes) -> None:
    if len(raw) > MOST_BYTES:
        raise Failure(f"{name} is over {MOST_BYTES // 1024**2} MiB", Exit.INVALID)
