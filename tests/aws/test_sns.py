"""The topic of alarms: whether somebody receives what is published to it."""

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.aws.sns import Topic
from chalicelib.runtime import Runtime

ARN = "arn:aws:sns:us-east-1:123456789012:monitum-test-alarms"


@dataclass
class Client:
    """Responds as SNS does: the counts are texts, and a pending address is not confirmed."""

    confirmed: str

    def get_topic_attributes(self, TopicArn: str) -> dict[str, Any]:  # noqa: N803
        assert TopicArn == ARN
        return {
            "Attributes": {
                "TopicArn": ARN,
                "SubscriptionsConfirmed": self.confirmed,
                "SubscriptionsPending": "1",
                "SubscriptionsDeleted": "0",
            }
        }


@pytest.mark.parametrize(("confirmed", "expected"), [("0", False), ("1", True), ("2", True)])
def test_only_confirmed_subscriptions_count(confirmed: str, expected: bool) -> None:
    assert Topic(Client(confirmed), ARN).has_subscribers() is expected


def test_a_stage_without_an_address_for_alarms_has_no_topic(aws: dict[str, str]) -> None:
    assert Runtime.from_env(aws).alarm_topic is None
    assert Runtime.from_env({**aws, "ALARM_TOPIC_ARN": ARN}).alarm_topic is not None
