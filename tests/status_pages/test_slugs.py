"""Slugs are unique in an installation, and available again after a page is renamed or deleted."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.status_pages.page import RESERVED
from tests.support.stages import stored
from tests.support.visitors import free_slug, make_page, path_of
from tests.support.world import Person

pytestmark = pytest.mark.shared_stage


@pytest.mark.parametrize("slug", sorted(RESERVED))
def test_reserved_slugs_are_invalid(alice: Person, slug: str) -> None:
    assert alice.post("/v1/pages", {"name": "Shop", "slug": slug}).fields == ["body.slug"]


def test_slug_is_unique_in_the_installation(alice: Person, mallory: Person) -> None:
    slug = free_slug()
    first = make_page(alice, slug=slug)
    before = stored()
    for person in (alice, mallory):
        taken = person.post("/v1/pages", {"name": "Mine", "slug": slug})
        assert (taken.status, taken.json["type"]) == (409, "urn:monitum:problem:conflict")
        assert taken.fields == ["body.slug"]
    assert stored() == before
    other = make_page(mallory)
    taken = mallory.patch(path_of(other), {"slug": slug})
    assert (taken.status, taken.fields) == (409, ["body.slug"])
    assert mallory.get(path_of(other)).json == other.json
    # Renaming and deleting a page release its slug at once.
    new = free_slug()
    assert alice.patch(path_of(first), {"slug": new}).status == 200
    assert mallory.patch(path_of(other), {"slug": slug}).status == 200
    assert alice.delete(path_of(first)).status == 204
    make_page(mallory, slug=new)


def test_one_of_many_concurrent_claims_succeeds(alice: Person, mallory: Person) -> None:
    slug = free_slug()
    body = {"name": "Mine", "slug": slug}
    pages = [make_page(person) for person in (alice, mallory)]

    def claim(number: int) -> int:
        person = (alice, mallory)[number % 2]
        if number < 4:
            return person.patch(path_of(pages[number % 2]), {"slug": slug}).status
        return person.post("/v1/pages", body).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(claim, range(12)))
    everything = [one for who in (alice, mallory) for one in who.get("/v1/pages").json["items"]]
    assert [one["slug"] for one in everything].count(slug) == 1
    # Setting a page's slug to its current value succeeds too.
    assert 1 <= sum(status in (200, 201) for status in statuses) <= 2
    assert {status for status in statuses if status not in (200, 201)} == {409}
    used = [who.get("/v1/me").json["limits"]["pages"]["used"] for who in (alice, mallory)]
    assert sum(used) == len(everything)
