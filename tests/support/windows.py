"""What the tests of maintenance share: windows, and what follows from them at once."""

from typing import Any

from chalicelib.api.schemas import render_time
from tests.support.world import Person, World


def window(person: Person, start: int, end: int, **fields: Any) -> dict[str, Any]:
    """A window from `start` to `end`, in seconds from now, for all with the tag `prod`."""
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
    made: dict[str, Any] = reply.json
    return made


def update_skip_rules(world: World) -> None:
    """Have calendars laid beside lanes, as the messages that are visible now ask for."""
    world.process_alerts()
    for event in world.functions.take("rollup"):
        assert not world.roll_up(event)
