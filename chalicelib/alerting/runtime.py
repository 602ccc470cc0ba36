"""What alerting needs of a process: where alerts may go, and what delivers them."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # Types only: a start must not load what only its first event needs.
    from chalicelib.alerting.notifiers import Notifiers
    from chalicelib.alerting.notifiers.ses import Mailer
    from chalicelib.probes.net.ssrf_guard import Guard


class AlertingRuntime(AwsRuntime, Protocol):
    """`guard` admits channel addresses; `notifiers` and `mailer` send."""

    @property
    def guard(self) -> "Guard": ...

    @property
    def notifiers(self) -> "Notifiers": ...

    @property
    def mailer(self) -> "Mailer": ...
