"""What a quirk of a server is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.probes.hostile import Behaviour
from tests.probes.misbehaviours.case import WANTS_OK


@dataclass(frozen=True)
class Quirk:
    """A server that breaks rules and what a check says of it: UP without a reason, else DOWN.

    A page shows "OK", unless `shows` is another text. `warns` means DEGRADED instead of DOWN.
    `tls` serves it by TLS with these ALPN protocols. `stricter` and `more_lenient` say why Monitum
    does not do as Chromium does.
    """

    name: str
    behave: Behaviour
    reason: str | None = None
    says: str = ""
    expect: Mapping[str, Any] = field(default_factory=lambda: WANTS_OK)
    shows: str = "OK"
    warns: bool = False
    tls: tuple[str, ...] | None = None
    stricter: str = ""
    more_lenient: str = ""
