"""GET /v1/metrics, as Prometheus parses it."""

import re
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.world import DOWN, START, UP, Person, World

pytestmark = pytest.mark.shared_stage

UP_, RESPONSE = "monitum_target_up", "monitum_target_response_seconds"
CERTIFICATE = "monitum_target_certificate_remaining_seconds"
CHECKED = "monitum_target_last_check_timestamp_seconds"


def samples(person: Person) -> dict[str, dict[str, float]]:
    """`{metric: {target's name: value}}`."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(person.get("/v1/metrics").text):
        assert family.type == "gauge"
        assert family.documentation
        found[family.name] = {one.labels["name"]: one.value for one in family.samples}
    return found


def labels(person: Person) -> dict[str, str]:
    text = person.get("/v1/metrics").text
    (family, *_) = (one for one in text_string_to_metric_families(text) if one.samples)
    found: dict[str, str] = family.samples[0].labels
    return found


def test_each_target_has_samples(world: World) -> None:
    alice = world.user()
    alice.make_target(name="Shop")
    down = alice.make_target(name="Blog", failure_threshold=1)
    world.checker.script[down["id"]] = DOWN
    world.run(1)

    found = samples(alice)

    assert found[UP_] == {"Shop": 1, "Blog": 0}
    assert found[RESPONSE] == {"Shop": 0.05, "Blog": 0.015}
    assert found[CHECKED] == {"Shop": START, "Blog": START}
    assert found[CERTIFICATE] == {}


def test_remaining_lifetime_of_a_certificate(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    world.checker.script[target["id"]] = replace(UP, tls_days_left=30)
    world.run(1)

    assert samples(alice)[CERTIFICATE] == {"Shop": 30 * 86_400}


def test_unchecked_and_paused_targets_have_no_up_sample(world: World) -> None:
    alice = world.user()
    alice.make_target(name="new")
    paused = alice.make_target(name="paused")
    alice.post(f"/v1/targets/{paused['id']}/pause")

    assert samples(alice)[UP_] == {}


def test_tags_are_labels(world: World) -> None:
    alice = world.user()
    created = alice.make_target(tags=["prod", "team:web", "a-b", "a.b"])
    world.run(1)

    found = labels(alice)

    assert found == {
        "target_id": created["id"],
        "name": "Shop",
        "kind": "http",
        "tag_prod": "1",
        "tag_team": "web",
        "tag_a_b": "1",
    }


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "{}=,#", "ünï©ödé"])
def test_names_are_escaped(world: World, name: str) -> None:
    alice = world.user()
    alice.make_target(name=name)
    world.run(1)

    assert labels(alice)["name"] == name


def test_content_type_and_format(world: World) -> None:
    reply = world.user().get("/v1/metrics")

    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert re.fullmatch(r"(# (HELP|TYPE) .+\n)+", reply.text)


def test_metrics_contain_only_the_owners_targets(world: World) -> None:
    alice, mallory = world.user(), world.user("mallory")
    alice.make_target(name="Shop")
    world.run(1)

    assert samples(mallory)[UP_] == {}


def test_targets_are_read_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.targets.prometheus._BATCH", 2)
    alice = world.user()
    for number in range(5):
        alice.make_target(name=f"site {number}")
    world.run(1)

    assert set(samples(alice)[UP_]) == {f"site {number}" for number in range(5)}
