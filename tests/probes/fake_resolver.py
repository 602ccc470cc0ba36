"""A resolver of the tests' own: it answers what it is told, and may change its mind."""

import ipaddress
import threading
from collections.abc import Sequence

from chalicelib.monitoring.result import Reason
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.ip_ranges import Address


class FakeNames:
    """Answers each question about a name with the next of its answers, then with the last one."""

    def __init__(self, **names: Sequence[str]) -> None:
        self._answers = {name.replace("_", "."): list(texts) for name, texts in names.items()}
        self._lock = threading.Lock()
        self.asked: list[str] = []

    def servers(self) -> Sequence[tuple[str, int]]:
        return [("127.0.0.1", 53)]

    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        del deadline
        with self._lock:
            self.asked.append(name)
            answers = self._answers.get(name)
            if not answers:
                raise CheckFailure(Reason.DNS, f"{name} does not exist (NXDOMAIN)")
            text = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(part) for part in text.split()]
