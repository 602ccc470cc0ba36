"""The number of reads per status page is bounded, and cached views read nothing."""

from chalicelib.history.rollups.rollup import DAY_S
from tests.support.world import START, Person, World

FIRST, LATER = 26, 19
"""The calls for a page whose targets share a lane: the first build, and later ones within the hour.

The slug, 1; the page with its user, 1; targets, lanes, windows and newest results, 4; incidents and
windows of two weeks, 2; windows, hours and results of the recent days, at most 11. The first build
also reads windows, four months of days and what preceded them, 7.
"""


def published(alice: Person, **fields: object) -> str:
    body = {"name": "Shop", "slug": "shop", "published": True, **fields}
    assert alice.post("/v1/pages", body).status == 201
    return "/status/shop"


def test_first_view_reads_little_and_cached_views_nothing(
    world: World, lowest_place: None, dynamodb_calls: list[str]
) -> None:
    alice, visitor = world.user(), Person(world, "", "")
    world.clock.time = START - 100 * DAY_S
    targets = [alice.make_target(name=f"T{number}")["id"] for number in range(5)]
    world.clock.time = START
    path = published(alice, target_ids=targets)
    world.run(70)

    def calls(later_s: int) -> int:
        world.clock.time += later_s
        dynamodb_calls.clear()
        assert visitor.get(path).status == 200
        return len(dynamodb_calls)

    assert 10 < calls(0) <= FIRST
    for other in (path, f"{path}.json", f"{path}/feed", "/badge/shop/uptime.svg"):
        dynamodb_calls.clear()
        assert visitor.get(other).status == 200
        assert dynamodb_calls == []
    assert calls(14) == 0
    assert 0 < calls(1) <= LATER
    assert set(dynamodb_calls) <= {"GetItem", "BatchGetItem", "Query"}
    assert LATER < calls(3_600) <= FIRST


def test_targets_of_one_lane_share_their_calls(world: World, dynamodb_calls: list[str]) -> None:
    alice, visitor = world.user(), Person(world, "", "")
    shop = {"kind": "http", "url": "https://shop.example/", "tags": ["prod"]}
    items = [{"name": f"T{number}", **shop} for number in range(12)]
    assert alice.post("/v1/targets/batch", {"items": items}).status == 200
    path = published(alice, tags=["prod"])
    world.run(70)
    dynamodb_calls.clear()
    page = visitor.get(f"{path}.json").json
    assert len(page["sections"][0]["targets"]) == 12
    # One more call finds the targets with the tag.
    assert len(dynamodb_calls) <= FIRST + 1


def test_unknown_slug_costs_one_read_and_malformed_one_none(
    world: World, dynamodb_calls: list[str]
) -> None:
    visitor = Person(world, "", "")
    for slug, calls in (("nothing", ["GetItem"]), ("No-Slug", []), ("x.xml", [])):
        dynamodb_calls.clear()
        assert visitor.get(f"/status/{slug}").status == 404
        assert dynamodb_calls == calls
