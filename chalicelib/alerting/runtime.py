"""The part of the runtime that alerting uses."""

from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.runtime import AwsRuntime

if TYPE_CHECKING:
    # Types only, to keep imports out of the cold start until an event needs them.
    from chalicelib.alerting.notifiers import Notifiers
    from chalicelib.alerting.notifiers.ses import Mailer
    from chalicelib.probes.net.ssrf_guard import Guard


class AlertingRuntime(AwsRuntime, Protocol):
    """`guard` validates the URLs of channels; `notifiers` and `mailer` send."""

    @property
    def guard(self) -> "Guard": ...

    @property
    def notifiers(self) -> "Notifiers": ...

    @property
    def mailer(self) -> "Mailer": ...
