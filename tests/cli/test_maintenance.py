"""Maintenance windows on the command line and in manifests."""

import pytest

from tests.cli.manifests import apply_text
from tests.cli.terminal import Terminal
from tests.support.stages import stored
from tests.support.world import Person

FILE = """\
targets:
  Shop: {kind: http, url: https://shop.example/}
maintenance:
  Nights:
    targets: [Shop]
    cron: 0 3 * * *
    duration_s: 3600
    mode: skip
  Upgrade:
    tags: [prod]
    starts_at: 2026-11-18T15:00:00+01:00
    ends_at: 2026-11-18T15:00:00Z
"""


def test_window_is_created_listed_shown_and_deleted(terminal: Terminal, alice: Person) -> None:
    alice.make_target(name="Shop")
    once = ["--from", "2026-11-18T14:00:00Z", "--for", "90m"]
    assert (
        "Created maintenance window Once: "
        in terminal.ok("maintenance", "add", "Once", "--target", "Shop", *once).out
    )
    again = ["--cron", "0 3 * * *", "--timezone", "Europe/Berlin", "--for", "1h", "--skip"]
    created = terminal.ok("maintenance", "add", "Nights", "--tag", "prod", *again, "--json").json
    assert (created["mode"], created["duration_s"], created["timezone"]) == (
        "skip",
        3600,
        "Europe/Berlin",
    )
    listed = terminal.ok("maintenance", "ls").out
    assert "2026-11-18 15:30:00" in listed
    assert "1 target " in listed
    assert "Shop" in terminal.ok("maintenance", "show", "Once").out
    terminal.ok("maintenance", "rm", "Once", "--yes")
    assert len(terminal.ok("maintenance", "ls", "--json").json["items"]) == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--for", "soon"], 2),
        (["--from", "soon", "--to", "later"], 6),
        (["--cron", "x"], 6),
        ([], 6),
    ],
)
def test_invalid_window_is_rejected(terminal: Terminal, options: list[str], code: int) -> None:
    outcome = terminal.run("maintenance", "add", "x", "--tag", "prod", *options)
    assert outcome.code == code
    assert outcome.err.count("\n") == 1


def test_applying_windows_twice_changes_nothing(terminal: Terminal, alice: Person) -> None:
    assert apply_text(terminal, FILE).code == 0
    windows = alice.get("/v1/maintenance").json["items"]
    assert {one["name"] for one in windows} == {"Nights", "Upgrade"}
    before = stored()
    again = apply_text(terminal, FILE)
    assert "Plan: 0 to create, 0 to change, 0 to delete, 3 unchanged." in again.out
    exported = terminal.ok("export").out
    assert "Plan: 0 to create" in apply_text(terminal, exported, "--prune").out
    assert stored() == before
    changed = apply_text(
        terminal, FILE.replace("3600", "7200").replace("[Shop]", "[]\n    tags: [x]")
    )
    assert changed.code == 0, changed
    for line in ("duration_s: 3600 -> 7200", 'targets: ["Shop"] -> []', 'tags: [] -> ["x"]'):
        assert line in changed.out


def test_errors_in_windows_have_their_line(terminal: Terminal) -> None:
    outcome = apply_text(terminal, FILE.replace("0 3 * * *", "whenever"))
    assert outcome.code == 9
    assert f"{terminal.home / 'monitum.yml'}:6: cron: " in outcome.err
    missing = apply_text(terminal, FILE.replace("[Shop]", "[Nobody]"))
    assert missing.code == 6
    assert "monitum.yml:5: no target is named 'Nobody'" in missing.err


def test_windows_that_are_over_are_not_exported_or_planned(
    terminal: Terminal, alice: Person
) -> None:
    apply_text(terminal, FILE)
    alice.world.clock.time += 86_400
    exported = terminal.ok("export").out
    assert "Nights" in exported
    assert "Upgrade" not in exported
    for text in (exported, FILE):
        assert "0 to create, 0 to change, 0 to delete" in apply_text(terminal, text, "--prune").out
