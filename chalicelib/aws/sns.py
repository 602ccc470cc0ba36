"""The topic to which CloudWatch publishes alarms."""

from typing import Any

from botocore.config import Config
from botocore.session import get_session


class Topic:
    """One SNS topic."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self._arn = client, arn

    @classmethod
    def connect(cls, arn: str, region: str) -> "Topic":
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
        return cls(get_session().create_client("sns", region_name=region, config=config), arn)

    def has_subscribers(self) -> bool:
        """Whether any subscription is confirmed, so that somebody receives what is published."""
        attributes = self._client.get_topic_attributes(TopicArn=self._arn)["Attributes"]
        return int(attributes.get("SubscriptionsConfirmed", 0)) > 0
