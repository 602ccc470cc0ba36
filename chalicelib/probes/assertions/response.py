"""What a probe observed of a target: the input of the assertions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.probes.assertions.charsets import declared_charset, decode


@dataclass(slots=True)
class Observation:
    """A response; each kind of check fills in what it has.

    `truncated` means that the body is longer than `body`. `mismatch` describes how DNS records
    differ from the expected ones. `warnings` describe what clients put up with.
    With `issuer_expires`, a certificate of an issuer expires before the server's.
    """

    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncated: bool = False
    mismatch: str | None = None
    warnings: tuple[str, ...] = ()
    issuer_expires: bool = False


def body_text(observation: Observation) -> str:
    """Return the body as text, decoded as browsers do."""
    return decode(observation.body, content_type(observation), truncated=observation.truncated)


def body_charset(observation: Observation) -> str | None:
    """Return the charset that the response declares, None if it declares no known one."""
    return declared_charset(observation.body, content_type(observation))


def content_type(observation: Observation) -> str:
    """Return the Content-Type header, empty if there is none."""
    return observation.headers.get("content-type", "")
