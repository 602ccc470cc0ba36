"""Keys in the URL of a target reach no reader but its owner."""

from dataclasses import replace

from tests.support.alerts import channel, heal, target
from tests.support.visitors import publish, visitor_of
from tests.support.world import DOWN, World

URL = "https://shop.example/health?page=1&api_key=S3cretWord&q=9fK2xQ7bLw0ZtR4m"
MASKED = "https://shop.example/health?page=1&api_key=***&q=***"


def test_keys_are_masked_in_alerts_and_pages_but_not_for_the_owner(world: World) -> None:
    alice = world.user()
    channel(alice)
    alice.post("/v1/channels", {"name": "Ops", "kind": "email", "address": "ops@shop.example"})
    alice.post("/confirm/" + world.mailer.sent.pop()[2].partition("/confirm/")[2].split()[0])
    shop = target(alice, url=URL, name=URL)
    slug = publish(alice, target_ids=[shop["id"]])
    world.run(60)
    error = f'expected "x" in the header "Location", got "{URL}"'
    world.checker.script[shop["id"]] = replace(DOWN, error=error)
    world.run(60)
    world.run_alerts()
    visitor = visitor_of(world)
    shown = [visitor.get(f"/status/{slug}{end}").text for end in ("", ".json", "/feed")]
    badge = visitor.get(f"/badge/{slug}/status.svg").text
    heal(world, shop)
    world.run_alerts()
    payloads = world.outbound.received()
    mails = world.mailer.sent

    assert [one["data"]["targets"][0]["url"] for one in payloads] == [MASKED, MASKED]
    assert len(mails) == 2
    for text in (*map(str, payloads), *map(str, mails), *shown, badge):
        assert "S3cretWord" not in text
        assert "9fK2xQ7bLw0ZtR4m" not in text
    assert alice.get(f"/v1/targets/{shop['id']}").json["url"] == URL
