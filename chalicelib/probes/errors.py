"""Why a check could not be finished: the one exception that the checkers raise among themselves."""

from chalicelib.monitoring.result import Reason, Verdict

_CONNECTION = frozenset(
    {Reason.DNS, Reason.CONNECT, Reason.REFUSED, Reason.TLS, Reason.TIMEOUT, Reason.PROTOCOL}
)


class CheckFailure(Exception):
    """A check ended early, with a reason of the API and a text for people.

    `ours` says that the failure is Monitum's own (its resolver, its network, its code) and no
    evidence about the target: the verdict is UNKNOWN instead of DOWN. `final` says that the target
    has spoken, so that a second try would only hear the same.
    """

    def __init__(
        self, reason: Reason, text: str, *, ours: bool = False, final: bool = False
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.ours = ours
        self.final = final

    @property
    def verdict(self) -> Verdict:
        return Verdict.UNKNOWN if self.ours else Verdict.DOWN

    @property
    def worth_a_second_try(self) -> bool:
        """Whether the connection failed, rather than what was said over it."""
        return not self.final and (self.ours or self.reason in _CONNECTION)


class Blocked(CheckFailure):
    """The guard refused an address, a port, a host or a URL."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.BLOCKED, text)


class OutOfTime(CheckFailure):
    """The deadline passed while waiting for `what`, such as "the first byte"."""

    def __init__(self, what: str) -> None:
        super().__init__(Reason.TIMEOUT, f"timed out waiting for {what}")
        self.what = what
