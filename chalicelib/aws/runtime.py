"""The runtime protocol of services that send work to queues and functions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from chalicelib.aws.lambda_client import Functions
from chalicelib.aws.sqs import Queue
from chalicelib.common.runtime import BaseRuntime

if TYPE_CHECKING:
    # Types only: only the health check needs it.
    from chalicelib.aws.sns import Topic


class AwsRuntime(BaseRuntime, Protocol):
    """Settings, the clock, SQS queues and Lambda functions.

    `further_checks` maps each further region to its checks queue; `dead_letters` are the
    dead-letter queues by name. `alarm_topic` is None without an address for alarms.
    """

    @property
    def checks(self) -> Queue: ...

    @property
    def further_checks(self) -> Mapping[str, Queue]: ...

    @property
    def alerts(self) -> Queue: ...

    @property
    def alerts_dead(self) -> Queue: ...

    @property
    def dead_letters(self) -> Mapping[str, Queue]: ...

    @property
    def alarm_topic(self) -> "Topic | None": ...

    @property
    def functions(self) -> Functions: ...
