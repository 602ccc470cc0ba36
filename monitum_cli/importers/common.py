"""What the importers share: the result with its notes, and conversions to Monitum's values."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import plural
from monitum_cli.importers.channels import Channel
from monitum_cli.manifest.yaml_reader import Source

INTERVALS_S = (10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 21600, 43200, 86400)
_RECORD_TYPES = {"A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "CAA"}
_MAX_NAME, _MAX_TAG = 200, 50
_MAX_TIMEOUT_S = 25
_MAX_THRESHOLD = 10
BY_NAME_TAG = "by name only"
"""The tag of channels that must only alert for targets that name them."""


@dataclass
class ImportResult:
    """The imported channels and targets by name, and notes about everything that is different."""

    channels: dict[str, Channel] = field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    secrets: int = 0
    skipped: int = 0

    def note(self, label: str, message: str) -> None:
        self.notes.append(f"{label}: {message}")

    def note_unread(self, label: str, *readers: "FieldReader") -> None:
        """Note the fields that were not read, because nothing in Monitum corresponds to them."""
        for reader in readers:
            for name in reader.unread():
                self.note(label, f"{name} is not imported")

    def skip(self, label: str, reason: str) -> None:
        """Note an item that is not imported at all."""
        self.skipped += 1
        self.note(label, f"skipped: {reason}")

    @contextmanager
    def item(self, label: str) -> Iterator[None]:
        """Skip the item that the block imports if it is unsupported or malformed."""
        try:
            yield
        except CliError as error:
            self.skip(label, str(error))
        except (AttributeError, KeyError, TypeError, ValueError):
            self.skip(label, "unexpected format")

    def add_channel(self, name: str, channel: Channel) -> str:
        """Add a channel and return its name, which may differ from the one given."""
        unique = self._unique(name, self.channels)
        self.channels[unique] = channel
        self.secrets += channel["kind"] == "apprise"
        return unique

    def add_target(self, name: str, target: dict[str, Any]) -> None:
        self.targets[self._unique(name, self.targets)] = {
            key: value for key, value in target.items() if value not in (None, [], {})
        }

    def resources(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the sections of the manifest.

        In Monitum, a target without channels alerts the channels without tags. The other monitor
        alerted nobody, so the channels get a tag if there are such targets.
        """
        if any(not target.get("channels") for target in self.targets.values()):
            for channel in self.channels.values():
                channel["tags"] = [BY_NAME_TAG]
        return {"channels": self.channels, "targets": self.targets}

    def _unique(self, name: str, taken: Mapping[str, Any]) -> str:
        """Return a valid name, with a number if it is taken."""
        base = _one_line(name, _MAX_NAME - 6) or "unnamed"
        unique, number = base, 1
        while unique in taken:
            number += 1
            unique = f"{base} ({number})"
        if unique != name:
            self.note(name, f"renamed to {unique!r}")
        return unique

    def summary(self) -> str:
        targets, channels = len(self.targets), len(self.channels)
        imported = f"{plural(targets, 'target')} and {plural(channels, 'channel')}"
        return f"imported {imported}, skipped {self.skipped}"


class FieldReader:
    """The fields of an item. It keeps track of those that were not read.

    `ignored` are fields that are without effect or handled elsewhere.
    """

    def __init__(
        self,
        fields: Mapping[str, Any],
        ignored: frozenset[str] = frozenset(),
        prefix: str = "",
    ) -> None:
        self._fields = {name: value for name, value in fields.items() if name not in ignored}
        self._prefix = prefix

    def value(self, name: str, default: Any = None) -> Any:
        """Read a field; returns the default if it is missing or null."""
        value = self._fields.pop(name, None)
        return default if value is None else value

    def text(self, name: str, default: str = "") -> str:
        return str(self.value(name, default))

    def mapping(self, name: str) -> dict[str, Any]:
        value = self.value(name)
        return value if isinstance(value, dict) else {}

    def sequence(self, name: str) -> list[Any]:
        value = self.value(name)
        return value if isinstance(value, list) else []

    def unread(self) -> Iterator[str]:
        """Yield the names of fields that were not read and have a value."""
        for name, value in self._fields.items():
            if value not in (None, "", [], {}, False, 0):
                yield f"{self._prefix}{name}"


def read_json(source: Source, raw: bytes) -> Any:
    """Parse a JSON file within the size limit; raises CliError."""
    source.check_size(raw)
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CliError(f"{source.name} is not valid UTF-8", ExitCode.INVALID) from None
    except json.JSONDecodeError as error:
        raise source.error(error.lineno, error.msg) from None
    except RecursionError:
        raise CliError(f"{source.name} is nested too deeply", ExitCode.INVALID) from None


def _one_line(text: str, max_length: int) -> str:
    """Turn a text into a valid name: one printable line without surrounding whitespace."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    return " ".join(words)[:max_length].strip()


def tags(texts: list[str]) -> list[str]:
    """Turn texts into valid tags without duplicates."""
    valid = [_one_line(text, _MAX_TAG) for text in texts]
    return list(dict.fromkeys(filter(None, valid)))


def interval(result: ImportResult, label: str, seconds: float) -> int:
    """Return the longest supported interval that is not longer, and note a difference."""
    supported = max((one for one in INTERVALS_S if one <= seconds), default=INTERVALS_S[0])
    if supported != seconds:
        result.note(label, f"interval is {supported} s instead of {seconds:g} s")
    return supported


def timeout(result: ImportResult, label: str, seconds: float, interval_s: int) -> int:
    """Return the timeout in whole seconds, at most the interval, and note a difference."""
    supported = max(1, min(round(seconds), _MAX_TIMEOUT_S, interval_s))
    if supported != round(seconds):
        result.note(label, f"timeout is {supported} s instead of {seconds:g} s")
    return supported


def threshold(count: int) -> int:
    """Return a supported number of consecutive failures or successes."""
    return max(1, min(count, _MAX_THRESHOLD))


def status_codes(texts: list[Any]) -> list[int | str]:
    """Convert `["200-299", "301"]`; raises CliError for anything else."""
    codes: list[int | str] = []
    for text in map(str, texts):
        if re.fullmatch(r"[1-5]\d\d", text, re.ASCII):
            codes.append(int(text))
        elif re.fullmatch(r"[1-5]\d\d-[1-5]\d\d", text, re.ASCII):
            codes.append(text)
        else:
            raise CliError(f"{text!r} is not a status code or a range of them", ExitCode.INVALID)
    return codes


def record_type(value: Any) -> str:
    """Return a DNS record type, A by default; raises CliError if it is not supported."""
    name = str(value or "A")
    if name not in _RECORD_TYPES:
        raise CliError(f"record type {name} is not supported")
    return name


def with_basic_auth(url: str, user: Any, password: Any) -> str:
    """Put a user and password into a URL."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(str(user), safe='')}:{quote(str(password or ''), safe='')}@{rest}"
