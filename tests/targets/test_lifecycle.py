"""Targets and their lanes: unique places, reuse of free ones, transactional writes."""

import json
import threading
from collections import Counter
from typing import Any

import pytest

from chalicelib.access.usage import TransactionConflictError
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import ConflictError
from chalicelib.history.erasure_repository import ordered
from chalicelib.monitoring.lane import Lane, Place, choose_place
from chalicelib.monitoring.lane_allocator import LaneAllocator
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import Lanes, PlaceUpdate
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import LANE_SIZE, Target
from chalicelib.targets import service
from chalicelib.targets.validation import Draft
from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


def draft(**fields: Any) -> Draft:
    described = {
        "name": "Shop",
        "kind": "http",
        "interval_s": 60,
        "timeout_s": 10,
        "failure_threshold": 2,
        "recovery_threshold": 1,
        "config": {"url": "https://shop.example/"},
        "expect": {},
    }
    return Draft(**{**described, **fields})


def create(person: Person, count: int) -> list[Target]:
    with acting_for(person.owner):
        allocator = LaneAllocator(person.owner)
        return [
            service.create(person.world.runtime, person.owner, draft(), allocator=allocator)
            for _ in range(count)
        ]


def places_of(person: Person) -> list[tuple[int, int]]:
    """Return the places stored with the targets; fails if the lanes differ."""
    found = {}
    for item in map(json.loads, stored("targets")["targets"]):
        if item["owner"]["S"] == person.owner:
            lane = int(item["lane"]["S"].rpartition("#")[2])
            found[lane, json.loads(item["spec"]["S"])["place"]] = item["target_id"]["S"]
    with acting_for(person.owner):
        lanes = {
            (lane.number, number): place.target_id
            for lane in Lanes(person.owner).all()
            for number, place in lane.places.items()
        }
    assert found == lanes
    return sorted(found)


def test_120_targets_fill_three_lanes(alice: Person) -> None:
    create(alice, 120)
    assert Counter(lane for lane, _ in places_of(alice)) == {0: 50, 1: 50, 2: 20}
    assert len(set(places_of(alice))) == 120


@pytest.fixture
def small_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes of four places."""
    monkeypatch.setattr("chalicelib.monitoring.lane.LANE_SIZE", 4)


def test_free_places_are_reused_before_a_lane_is_opened(alice: Person, small_lanes: None) -> None:
    created = create(alice, 5)
    with acting_for(alice.owner):
        holes = [created[number] for number in (0, 1, 3)]
        for hole in holes:
            service.remove(alice.world.runtime, alice.owner, hole.id, lambda _: None)
    again = create(alice, 3)
    assert {(target.lane, target.spec.place) for target in again} == {
        (hole.lane, hole.spec.place) for hole in holes
    }
    assert Counter(lane for lane, _ in places_of(alice)) == {0: 4, 1: 1}


def test_state_of_a_deleted_target_is_removed(world: World, alice: Person) -> None:
    (target,) = create(alice, 1)
    world.deliver()
    with acting_for(alice.owner):
        service.remove(alice.world.runtime, alice.owner, target.id, lambda _: None)
        for place in range(LANE_SIZE):
            assert Lanes(alice.owner).get(0).state_of(target.id, place) is None


@pytest.mark.parametrize("existing", ["one lane", "no lane", "full lane"])
def test_concurrent_creations_get_different_places(
    alice: Person, monkeypatch: pytest.MonkeyPatch, small_lanes: None, existing: str
) -> None:
    """The second runs between the first one's read of the lanes and its transaction."""
    monkeypatch.setattr("chalicelib.monitoring.lane.secrets.choice", min)
    create(alice, {"one lane": 1, "no lane": 0, "full lane": 4}[existing])
    before = len(places_of(alice))
    add, seen = Targets.add, []

    def interrupted(self: Targets, *args: Any) -> None:
        seen.append(args)
        if len(seen) == 1:
            create(alice, 1)
        add(self, *args)

    monkeypatch.setattr(Targets, "add", interrupted)
    create(alice, 1)
    assert len(seen) == 3, "the first chose again"
    assert len(places_of(alice)) == before + 2


def test_concurrent_creations_neither_share_nor_lose_places(alice: Person) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            create(alice, 3)
        except BaseException as error:  # noqa: BLE001 - asserted below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(places_of(alice)) == 15


def test_creation_is_a_conflict_after_the_last_attempt(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(*_: object) -> None:
        raise TransactionConflictError

    monkeypatch.setattr(service, "back_off", lambda _: None)
    monkeypatch.setattr(Targets, "add", always)
    with pytest.raises(ConflictError):
        create(alice, 1)
    assert places_of(alice) == []


@pytest.mark.parametrize("broken", ["lane", "target"])
def test_creation_is_atomic(alice: Person, broken: str) -> None:
    (target,) = create(alice, 1)
    before = stored()
    with acting_for(alice.owner):
        spec = draft().spec(target.id if broken == "target" else "other", 7)
        if broken == "lane":
            spec = draft().spec("01a1ee56-5e00-7000-8000-000000000000", target.spec.place)
        rival = Target(
            owner=alice.owner, spec=spec, lane=0, name="Rival", created_at=1, updated_at=1
        )
        with pytest.raises(TransactionConflictError):
            Targets(alice.owner).add(rival, State.pending(1), Secrets(userinfo="a:b"))
    assert stored() == before


def test_change_of_a_deleted_target_is_not_stored(alice: Person) -> None:
    (target,) = create(alice, 1)
    with acting_for(alice.owner):
        lane = Lanes(alice.owner).get(target.lane)
        update = PlaceUpdate(lane, target.id, target.spec.place, None)
        service.remove(alice.world.runtime, alice.owner, target.id, lambda _: None)
        before = stored()
        with pytest.raises(TransactionConflictError):
            Targets(alice.owner).change(
                target, target, place_update=None, secrets=Secrets(userinfo="a:b")
            )
        with pytest.raises(TransactionConflictError):
            Targets(alice.owner).remove(target, update, ordered(target, 0))
    assert stored() == before


def test_opening_a_lane_is_idempotent(alice: Person) -> None:
    with acting_for(alice.owner):
        Lanes(alice.owner).open(0)
        create(alice, 1)
        before = stored("lanes")
        Lanes(alice.owner).open(0)
    assert stored("lanes") == before


def full(number: int) -> Lane:
    state = State.pending(0)
    return Lane("a", number, places={n: Place(str(n), state) for n in range(LANE_SIZE)})


def test_lowest_lane_with_a_free_place_is_chosen() -> None:
    assert choose_place([]) is None
    assert choose_place([full(0), full(1)]) is None
    with_hole = Lane("a", 1, places={n: p for n, p in full(1).places.items() if n != 33})
    assert choose_place([Lane("a", 2), full(0), with_hole]) == (1, 33)
