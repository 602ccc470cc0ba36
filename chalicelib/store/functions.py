"""Starting functions without waiting for them."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.session import get_session


class Functions:
    """The functions of this stage, as Lambda has them."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def connect(cls, region: str) -> "Functions":
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 4})
        return cls(get_session().create_client("lambda", region_name=region, config=config))

    def start(self, name: str, event: Mapping[str, Any]) -> None:
        """Have a function run once for the event; Lambda tries a failing one twice more."""
        self._client.invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
        )


def shard_event(shard: int) -> dict[str, Any]:
    """The schedule's event for one shard, of the form that EventBridge gives its own."""
    return {
        "version": "0",
        "id": "",
        "detail-type": "Shard",
        "source": "monitum",
        "account": "",
        "time": "",
        "region": "",
        "resources": [],
        "detail": {"shard": shard},
    }
