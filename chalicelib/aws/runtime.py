"""The runtime protocol of services that send work to queues and functions."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib.aws.lambda_client import Functions
from chalicelib.aws.sqs import Queue
from chalicelib.common.runtime import BaseRuntime


class AwsRuntime(BaseRuntime, Protocol):
    """Settings, the clock, SQS queues and Lambda functions.

    `further_checks` maps each further region to its checks queue.
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
    def functions(self) -> Functions: ...
