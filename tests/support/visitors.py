"""Visitors of status pages, who have no token, and pages for them."""

import itertools
from typing import Any

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.rollups.repository import Period, Rollup, Rollups
from chalicelib.history.rollups.rollup import DAY_S, Segment
from chalicelib.monitoring.storage.target_repository import Targets
from tests.support.world import START, Person, Reply, World

_NUMBERS = itertools.count()
TODAY = START // DAY_S * DAY_S


def visitor_of(world: World) -> Person:
    """A person without a token."""
    return Person(world, "", "")


def free_slug() -> str:
    """A slug that is unique in this process, as slugs must be in an installation."""
    return f"page-{next(_NUMBERS)}"


def publish(person: Person, **fields: Any) -> str:
    """Create and publish a page; returns its slug."""
    reply = make_page(person, **{"published": True, **fields})
    slug: str = reply.json["slug"]
    return slug


def view_page(visitor: Person, slug: str) -> dict[str, Any]:
    visitor.world.clock.time += 20
    found: dict[str, Any] = visitor.get(f"/status/{slug}.json").json
    return found


def targets_of(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for section in page["sections"] for target in section["targets"]]


def store_day(person: Person, target_id: str, days_ago: int, up_s: int, down_s: int) -> None:
    """Store a daily rollup of a target that was first up, then down."""
    start = TODAY - days_ago * DAY_S
    end, ends = start + up_s + down_s, int(down_s > 0)
    seconds = (up_s, down_s - 60, 0, 0) if down_s else (up_s - 60, 0, 0, 0)
    piece = Segment(start, end - 60, end, ends, seconds=seconds)
    with acting_for(person.owner):
        target = Targets(person.owner).get(target_id)
        rollup = Rollup.of(start, {target.spec.place: piece}, 1440)
        Rollups(person.owner).write(Period.DAY, target.lane, rollup, retention_days=400)


def make_page(person: Person, **fields: Any) -> Reply:
    """Create an unpublished page; returns the response."""
    reply = person.post("/v1/pages", {"name": "Shop", "slug": free_slug(), **fields})
    assert reply.status == 201, reply.text
    return reply


def path_of(page: Reply) -> str:
    return f"/v1/pages/{page.json['id']}"
