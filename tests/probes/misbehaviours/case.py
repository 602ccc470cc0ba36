"""What a misbehaviour is, and the beginnings of answers that several of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.probes.hostile import Behaviour, response


@dataclass(frozen=True)
class Case:
    """A misbehaviour and its outcome; `reason` None means UP, `warns` DEGRADED instead of DOWN."""

    name: str
    behave: Behaviour
    reason: str | None
    says: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    warns: bool = False


CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
ENDLESS: Final = b"HTTP/1.1 200 OK\r\n\r\n"
BEGUN: Final = b"HTTP/1.1 200 OK\r\nServer: x\r\n"
GZIP: Final = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
WANTS_OK: Final = {"body_contains": "OK"}
WANTS_JSON: Final = {"json": [{"path": "$.a", "equals": 1}]}


def encoded(encoding: str, body: bytes) -> bytes:
    """Return a response with an encoded body."""
    return response(f"Content-Encoding: {encoding}", body=body)
