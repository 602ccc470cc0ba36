"""Three hundred targets that fail lane by lane within a minute."""

from collections.abc import Iterator

from chalicelib.aws.sqs import Message
from chalicelib.common.ids import derived_id
from chalicelib.monitoring.alert_messages import Entry, FlipsJob
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import Flip, FlipKind, Status
from tests.support.alerts import channel
from tests.support.world import Person, World

LANES, IN_LANE = 6, 50


def flip_lanes(world: World, person: Person, kind: FlipKind, opened: dict[str, int]) -> None:
    """Every ten seconds, a lane reports a flip of all its targets."""
    for lane in range(LANES):
        entries = list(flips(person, lane, kind, int(world.clock.time), opened))
        message = Message(FlipsJob(person.owner, lane, entries).to_json())
        world.alerts.send(iter([message]))
        world.run_alerts(10)
    world.run_alerts(70)


def flips(
    person: Person, lane: int, kind: FlipKind, at: int, opened: dict[str, int]
) -> Iterator[Entry]:
    for place in range(IN_LANE):
        target = derived_id(0, person.owner, str(lane), str(place))
        opened.setdefault(target, at)
        up, down = Status.UP, Status.DOWN
        before, after = (up, down) if kind is FlipKind.OPENED else (down, up)
        flip = Flip(kind, before, after, at, Reason.CONNECT, opened_at=opened[target])
        yield Entry(target_id=target, flip=flip)


def test_mass_failure_and_recovery_send_one_alert_each(world: World) -> None:
    alice = world.user()
    channel(alice)
    world.clock.time += 60 - world.clock.time % 60
    opened: dict[str, int] = {}
    flip_lanes(world, alice, FlipKind.OPENED, opened)
    world.clock.time += 60 - world.clock.time % 60
    flip_lanes(world, alice, FlipKind.CLOSED, opened)
    sent = [(one["type"], one["data"]["count"]) for one in world.outbound.received()]
    assert sent == [("down", LANES * IN_LANE), ("recovered", LANES * IN_LANE)]
    assert {len(one["data"]["targets"]) for one in world.outbound.received()} == {20}
    assert world.dead.waiting == []
