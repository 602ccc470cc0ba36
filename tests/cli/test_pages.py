"""Status pages on the command line and in manifests."""

import itertools

import pytest

from tests.cli.manifests import apply_text
from tests.cli.terminal import Terminal
from tests.support.stages import stored
from tests.support.world import Person

_NUMBERS = itertools.count()
FILE = """\
targets:
  Shop: {kind: http, url: https://shop.example/}
  Mail: {kind: tcp, host: mail.example, port: 993}
pages:
  Status:
    slug: SLUG
    targets: [Shop]
    published: true
    sections:
      - name: Post
        targets: [Mail]
        tags: [b, a]
      - name: Rest
        tags: [rest]
"""


@pytest.fixture
def file() -> str:
    """A manifest with a unique slug."""
    return FILE.replace("SLUG", f"cli-{next(_NUMBERS)}")


def test_page_is_created_published_listed_shown_and_deleted(
    terminal: Terminal, alice: Person
) -> None:
    alice.make_target(name="Shop")
    visitor = Person(alice.world, "", "")
    created = terminal.ok(
        "pages", "add", "Status", "--slug", "by-hand", "--target", "Shop", "--tag", "prod"
    )
    assert "(not published): http" in created.out
    assert "/status/by-hand" in created.out
    assert visitor.get("/status/by-hand").status == 404
    assert "Published status page Status: " in terminal.ok("pages", "publish", "Status").out
    assert "Shop" in visitor.get("/status/by-hand").text
    listed = terminal.ok("pages", "ls").out
    for text in ("Status", "yes", "/status/by-hand", "prod, 1 target "):
        assert text in listed
    assert "Shop, tag prod" in terminal.ok("pages", "show", "Status").out
    assert terminal.ok("pages", "show", "Status", "--json").json["slug"] == "by-hand"
    terminal.ok("pages", "unpublish", "Status")
    assert visitor.get("/status/by-hand").status == 404
    terminal.ok("pages", "rm", "Status", "--yes")
    assert terminal.ok("pages", "ls", "--json").json["items"] == []


def test_taken_slug_is_a_conflict(terminal: Terminal) -> None:
    terminal.ok("pages", "add", "One", "--slug", "taken-by-one")
    outcome = terminal.run("pages", "add", "Two", "--slug", "taken-by-one")
    assert outcome.code == 5
    assert "is already in use" in outcome.err
    assert terminal.run("pages", "add", "Two", "--slug", "No Slug").code == 6


def test_applying_pages_twice_changes_nothing(terminal: Terminal, alice: Person, file: str) -> None:
    assert apply_text(terminal, file).code == 0
    ids = {one["name"]: one["id"] for one in alice.get("/v1/targets").json["items"]}
    (page,) = alice.get("/v1/pages").json["items"]
    assert page["target_ids"] == [ids["Shop"]]
    assert page["sections"] == [
        {"name": "Post", "target_ids": [ids["Mail"]], "tags": ["b", "a"]},
        {"name": "Rest", "target_ids": [], "tags": ["rest"]},
    ]
    before = stored()
    again = apply_text(terminal, file)
    assert "Plan: 0 to create, 0 to change, 0 to delete, 3 unchanged." in again.out
    exported = terminal.ok("export").out
    assert "targets:\n    - Shop\n" in exported
    assert (
        "Plan: 0 to create, 0 to change, 0 to delete, 3"
        in apply_text(terminal, exported, "--prune").out
    )
    assert stored() == before
    changed = apply_text(
        terminal, file.replace("targets: [Shop]", "targets: [Mail]\n    title: Ours")
    )
    for line in ('targets: ["Shop"] -> ["Mail"]', 'title: - -> "Ours"'):
        assert line in changed.out
    (page,) = alice.get("/v1/pages").json["items"]
    assert page["target_ids"] == [ids["Mail"]]
    shorter = apply_text(terminal, file.replace("      - name: Rest\n        tags: [rest]\n", ""))
    assert "sections: [" in shorter.out
    assert len(alice.get("/v1/pages").json["items"][0]["sections"]) == 1


def test_prune_deletes_a_page_before_its_targets(
    terminal: Terminal, alice: Person, file: str
) -> None:
    apply_text(terminal, file)
    kept = apply_text(terminal, "targets: {}\n")
    assert "kept (use --prune to delete)" in kept.out
    pruned = apply_text(terminal, "targets: {}\npages: {}\n", "--prune")
    assert pruned.out.index("deleted status page Status") < pruned.out.index("deleted target Shop")
    assert alice.get("/v1/pages").json["items"] == []


def test_prune_keeps_a_target_that_a_page_shows(terminal: Terminal, file: str) -> None:
    apply_text(terminal, file)
    before = stored()
    outcome = apply_text(terminal, "targets: {}\n" + file[file.index("pages:") :], "--prune")
    assert outcome.code == 6
    assert "--prune would delete it" in outcome.err
    assert stored() == before


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ("targets: [Nobody]", 6, "monitum.yml:11: no target is named 'Nobody'"),
        ("targets: Mail", 6, "monitum.yml:11: targets must be a list of names"),
        ("target: [Mail]", 6, "monitum.yml:11: unknown key 'target': use one of name, targets"),
        ("target_ids: [x]", 6, "monitum.yml:11: unknown key 'target_ids'"),
    ],
)
def test_errors_in_sections_have_their_line(
    terminal: Terminal, file: str, wrong: str, code: int, message: str
) -> None:
    before = stored()
    outcome = apply_text(terminal, file.replace("targets: [Mail]", wrong))
    assert outcome.code == code
    assert message in outcome.err
    assert stored() == before


@pytest.mark.parametrize("sections", ["words", "{name: Post}", "[words]", "[[Post]]"])
def test_sections_must_be_a_list_of_maps(terminal: Terminal, sections: str) -> None:
    outcome = apply_text(terminal, f"pages:\n  P:\n    slug: s\n    sections: {sections}\n")
    assert outcome.code == 6
    assert "monitum.yml:4: " in outcome.err


def test_validation_errors_in_sections_have_their_line(terminal: Terminal, file: str) -> None:
    outcome = apply_text(terminal, file.replace("name: Rest", "name: ''"))
    assert outcome.code == 9
    assert "monitum.yml:13: sections.1.name: " in outcome.err
