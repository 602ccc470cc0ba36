"""Properties of all responses: relative links, and errors without internal details."""

from urllib.parse import urljoin

import pytest
from chalice.test import Client

from chalicelib.targets import listing
from tests.support.world import Person

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}


@pytest.mark.parametrize("base", ["http://localhost:8000", "https://x.example/prod"])
def test_links_work_under_any_base_url(alice: Person, base: str) -> None:
    """They are relative, because only the caller knows the URL of the API."""
    alice.make_target()
    created = alice.post("/v1/targets", SHOP)
    location = urljoin(f"{base}/v1/targets", created.headers["location"])
    assert location == f"{base}/v1/targets/{created.json['id']}"
    link = alice.get("/v1/targets?limit=1").headers["link"].partition(">")[0].strip("<")
    assert urljoin(f"{base}/v1/targets?limit=1", link).startswith(f"{base}/v1/targets?limit=1&cur")


def test_internal_error_reveals_no_details(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("table monitum-prod-users is gone")

    monkeypatch.setattr(listing, "all_reported_statuses", fail)
    reply = alice.get("/v1/summary")
    assert reply.status == 500
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert problem.pop("request_id")
    assert problem == {
        "type": "urn:monitum:problem:internal-server-error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "something went wrong on our side",
        "errors": [],
    }


def test_missing_request_body_is_a_415(alice: Person) -> None:
    with Client(alice.world.app) as client:
        reply = client.http.post("/v1/targets", headers={"Authorization": f"Token {alice.token}"})
    assert reply.status_code == 415
