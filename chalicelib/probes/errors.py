"""The exceptions of the probes."""

from chalicelib.monitoring.result import Reason, Verdict

_CONNECTION = frozenset(
    {Reason.DNS, Reason.CONNECT, Reason.REFUSED, Reason.TLS, Reason.TIMEOUT, Reason.PROTOCOL}
)


class BadPath(ValueError):
    """A JSONPath that is not valid; str() says why."""


class CheckFailure(Exception):
    """A check ended early, with a reason of the API and a human-readable text.

    `internal` marks a failure of Monitum (its resolver, its network, its code), which proves
    nothing about the target: the verdict is UNKNOWN instead of DOWN. `final` marks a failure that
    a second attempt would only repeat, because the target has responded.
    """

    def __init__(
        self, reason: Reason, text: str, *, internal: bool = False, final: bool = False
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.internal = internal
        self.final = final

    @property
    def verdict(self) -> Verdict:
        return Verdict.UNKNOWN if self.internal else Verdict.DOWN

    @property
    def retryable(self) -> bool:
        """Whether the connection failed, rather than the response being wrong."""
        return not self.final and (self.internal or self.reason in _CONNECTION)


class Blocked(CheckFailure):
    """The SSRF guard refused an address, a port, a host or a URL."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.BLOCKED, text)


class OutOfTime(CheckFailure):
    """The deadline passed while waiting for `what`, such as "the first byte"."""

    def __init__(self, what: str) -> None:
        super().__init__(Reason.TIMEOUT, f"timed out waiting for {what}")


class Http2Required(CheckFailure):
    """A server that was offered HTTP/1.1 failed in a way that servers of HTTP/2 alone do."""
