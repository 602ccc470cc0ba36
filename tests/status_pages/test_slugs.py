"""Slugs of status pages: one page's in the whole installation, and free again afterwards."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.status_pages.page import RESERVED
from tests.support.stages import stored
from tests.support.visitors import free_slug, make_page, path_of
from tests.support.world import Person

pytestmark = pytest.mark.shared_stage


@pytest.mark.parametrize("slug", sorted(RESERVED))
def test_addresses_of_monitum_s_own_are_reserved(alice: Person, slug: str) -> None:
    assert alice.post("/v1/pages", {"name": "Shop", "slug": slug}).fields == ["body.slug"]


def test_a_slug_is_one_page_s_in_the_whole_installation(alice: Person, mallory: Person) -> None:
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
    # Renamed, and deleted: each time the slug is free at once.
    new = free_slug()
    assert alice.patch(path_of(first), {"slug": new}).status == 200
    assert mallory.patch(path_of(other), {"slug": slug}).status == 200
    assert alice.delete(path_of(first)).status == 204
    make_page(mallory, slug=new)


def test_of_many_who_want_a_slug_at_once_one_gets_it(alice: Person, mallory: Person) -> None:
    slug = free_slug()
    body = {"name": "Mine", "slug": slug}
    pages = [make_page(person) for person in (alice, mallory)]

    def claim(number: int) -> int:
        person = (alice, mallory)[number % 2]
        if number < 4:
            return person.patch(path_of(pages[number % 2]), {"slug": slug}).status
        return person.post("/v1/pages", body).status

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, range(12)))
    everything = [one for who in (alice, mallory) for one in who.get("/v1/pages").json["items"]]
    assert [one["slug"] for one in everything].count(slug) == 1
    # A change to the slug that a page has already changes nothing, and is fine.
    assert 1 <= sum(answer in (200, 201) for answer in answers) <= 2
    assert {answer for answer in answers if answer not in (200, 201)} == {409}
    used = [who.get("/v1/me").json["limits"]["pages"]["used"] for who in (alice, mallory)]
    assert sum(used) == len(everything)
