"""Status pages, badges and the page's JSON while targets on the page have no current data."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.support.world import DOWN, UNKNOWN, Person, World

GREY, GREEN = "#5b6676", "#0b7a3d"


class Views:
    """A published page of one or two targets, as visitors see it after the caches have expired."""

    def __init__(self, world: World, alice: Person, *targets: dict[str, Any]) -> None:
        self._world, self._visitor = world, Person(world, "", "")
        ids = [target["id"] for target in targets]
        body = {"name": "Ours", "slug": "ours", "published": True, "target_ids": ids}
        assert alice.post("/v1/pages", body).status == 201

    def get(self, path: str) -> str:
        reply = self._visitor.get(path)
        assert reply.status == 200
        return reply.text

    def page(self) -> dict[str, Any]:
        self._world.clock.time += 15
        found: dict[str, Any] = self._visitor.get("/status/ours.json").json
        return found

    def badge(self, name: str, picture: str = "status") -> tuple[str, str]:
        """The badge's text and colour."""
        image = ET.fromstring(self.get(f"/badge/{name}/{picture}.svg"))
        fills = [one.attrib["fill"] for one in image.iter() if "fill" in one.attrib]
        return image.attrib["aria-label"], fills[1]


def state(person: Person, target: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"/v1/targets/{target['id']}").json["state"]
    return found


@pytest.mark.parametrize("silent_s", [420, 6 * 3_600])
def test_stopped_schedule(world: World, alice: Person, silent_s: int) -> None:
    shop, blog = alice.make_target(name="Shop"), alice.make_target(name="Blog", interval_s=86_400)
    views = Views(world, alice, shop, blog)
    world.run(600)
    assert views.page()["status"] == "operational"
    world.clock.time += silent_s

    page = views.page()
    assert page["status"] == "unknown"
    first, second = page["sections"][0]["targets"]
    shown = state(alice, shop)
    assert (first["status"], first["stale"]) == ("UNKNOWN", True)
    assert (first["since"], first["last_checked_at"]) == (shown["since"], shown["last_checked_at"])
    assert first["response_ms"] is None
    assert (second["status"], second["stale"]) == ("UP", False)

    html = views.get("/status/ours")
    since = shown["since"]
    assert "No current data" in html
    assert re.search(
        rf'No data since <time datetime="{since}">[^<]*{since[11:16]} UTC</time>', html
    )
    assert views.badge("ours") == ("Ours: No data", GREY)
    assert views.badge(f"ours.{first['id']}") == ("Shop: No data", GREY)
    assert views.badge(f"ours.{first['id']}", "response") == ("response: no data", GREY)
    assert views.badge(f"ours.{second['id']}") == ("Blog: Operational", GREEN)


def test_unknown_checks(world: World, alice: Person) -> None:
    shop = alice.make_target(name="Shop")
    views = Views(world, alice, shop)
    world.run(300)
    world.checker.script[shop["id"]] = UNKNOWN
    world.run(600)
    page = views.page()
    assert (page["status"], page["sections"][0]["targets"][0]["status"]) == ("unknown", "UNKNOWN")


def test_known_outage_takes_precedence_and_stays_open(world: World, alice: Person) -> None:
    shop = alice.make_target(name="Shop", failure_threshold=1)
    blog = alice.make_target(name="Blog", failure_threshold=1, interval_s=86_400)
    for one in (shop, blog):
        world.checker.script[one["id"]] = DOWN
    views = Views(world, alice, shop, blog)
    world.run(300)
    world.run_alerts()
    assert views.page()["status"] == "major_outage"
    world.clock.time += 600
    page = views.page()
    assert page["status"] == "partial_outage"
    assert [one["closed_at"] for one in page["incidents"]] == [None, None]
