"""What a check saw of a target, for the expectations to judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observation:
    """An answer: whatever of it the kind has; `truncated` says that the body goes on.

    `wrong` says in words how a name's records differ from the expected ones.
    """

    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncated: bool = False
    wrong: str | None = None
