"""Helpers for tests of maintenance windows."""

from typing import Any

from chalicelib.api.schemas import render_time
from tests.support.world import Person, World


def window(person: Person, start: int, end: int, **fields: Any) -> dict[str, Any]:
    """Create a window from `start` to `end`, in seconds from now, for the tag `prod`."""
    now = person.world.runtime.now
    body = {
        "name": "Upgrade",
        "tags": ["prod"],
        "starts_at": render_time(now + start),
        "ends_at": render_time(now + end),
        **fields,
    }
    reply = person.post("/v1/maintenance", body)
    assert reply.status == 201, reply.text
    created: dict[str, Any] = reply.json
    return created


def update_skip_rules(world: World) -> None:
    """Process the visible messages that rebuild skip rules."""
    world.process_alerts()
    for event in world.functions.take("rollup"):
        assert not world.roll_up(event)
