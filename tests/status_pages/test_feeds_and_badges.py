"""The feeds and badges of status pages."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.support.visitors import publish, targets_of, view_page
from tests.support.windows import window
from tests.support.world import API_URL, DOWN, Person, World

pytestmark = pytest.mark.shared_stage

ATOM = "{http://www.w3.org/2005/Atom}"
NASTY = "A & B <i> ]]> \"'"


def texts(feed: ET.Element, name: str) -> list[str]:
    return [found.text or "" for found in feed.iter(f"{ATOM}{name}")]


def read(visitor: Person, slug: str) -> ET.Element:
    visitor.world.clock.time += 20
    reply = visitor.get(f"/status/{slug}/feed")
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(reply.text)


def test_feed_lists_incidents_and_maintenance(world: World, alice: Person, visitor: Person) -> None:
    target = alice.make_target(name=NASTY, failure_threshold=1)
    slug = publish(alice, title=NASTY, target_ids=[target["id"]])
    empty = read(visitor, slug)
    assert empty.findtext(f"{ATOM}title") == NASTY
    assert empty.findtext(f"{ATOM}author/{ATOM}name") == NASTY
    assert not empty.findall(f"{ATOM}entry")
    window(alice, 86_400, 90_000, name="Move", target_ids=[target["id"]], tags=[])
    world.checker.script[target["id"]] = DOWN
    world.run(130)
    world.run_alerts()
    feed = read(visitor, slug)
    # The last change comes first.
    assert texts(feed, "title") == [NASTY, "Maintenance: Move", f"{NASTY} is down"]
    links = [link.attrib["href"] for link in feed.iter(f"{ATOM}link")]
    url = f"{API_URL}/status/{slug}"
    assert links == [url, f"{url}/feed", url, url]
    world.checker.script.clear()
    world.run(70)
    world.run_alerts()
    later = read(visitor, slug)
    assert texts(later, "title")[1].startswith(f"{NASTY} was down for ")
    # A changed entry keeps its id.
    page, move, outage = texts(feed, "id")
    assert texts(later, "id") == [page, outage, move]
    assert texts(later, "updated")[1] > texts(feed, "updated")[2]
    assert texts(later, "updated")[0] == max(texts(later, "updated"))


def test_feed_links_are_absolute_with_a_public_url(
    world: World, alice: Person, visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(world.runtime.settings, public_url="https://monitum.example/api")
    monkeypatch.setattr(world.runtime, "settings", settings)
    slug = publish(alice)
    links = [link.attrib["href"] for link in read(visitor, slug).iter(f"{ATOM}link")]
    url = f"https://monitum.example/api/status/{slug}"
    assert links == [url, f"{url}/feed"]


def test_badges_of_page_and_targets(world: World, alice: Person, visitor: Person) -> None:
    shop = alice.make_target(name=NASTY)
    mail = alice.make_target(name="Mail " * 20 + "x", failure_threshold=1)
    slug = publish(alice, title="Ours", target_ids=[shop["id"], mail["id"]], history_days=30)

    def label(name: str, picture: str) -> str:
        reply = visitor.get(f"/badge/{name}/{picture}.svg")
        assert (reply.status, reply.headers["content-type"]) == (200, "image/svg+xml")
        assert reply.headers["cache-control"] == "public, max-age=30"
        return ET.fromstring(reply.text).attrib["aria-label"]

    assert label(slug, "status") == "Ours: No data"
    assert label(slug, "uptime") == "uptime 30 days: no data"
    assert label(slug, "response") == "response: no data"
    world.checker.script[mail["id"]] = DOWN
    world.run(130)
    first, second = (f"{slug}.{one['id']}" for one in targets_of(view_page(visitor, slug)))
    assert label(slug, "status") == "Ours: Partial outage"
    assert label(first, "status") == f"{NASTY}: Operational"
    assert label(second, "status") == "Mail Mail Mail Mail Mail Mail Mail Mail…: Down"
    assert [label(one, "uptime") for one in (slug, first, second)] == [
        "uptime 30 days: 50.00 %",
        "uptime 30 days: 100 %",
        "uptime 30 days: 0.00 %",
    ]
    assert label(first, "response") == "response: 50 ms"
