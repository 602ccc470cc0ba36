"""Plan, apply and export a manifest."""

from pathlib import Path

import pytest

from tests.cli.api_server import ApiServer
from tests.cli.manifests import FILE, SECRETS, apply, assert_no_secrets, path, state, write
from tests.cli.terminal import Terminal
from tests.support.stages import stored
from tests.support.world import Person


@pytest.fixture
def shell(terminal: Terminal) -> Terminal:
    """Alice's shell, with the secrets in the environment and the manifest written."""
    write(terminal, FILE)
    return terminal.with_env(**SECRETS)


def test_plan_changes_nothing(shell: Terminal) -> None:
    before = stored()
    outcome = shell.ok("plan", path(shell))
    assert "+ channel On call" in outcome.out
    assert "+ target Shop" in outcome.out
    assert "Plan: 4 to create, 0 to change, 0 to delete, 0 unchanged." in outcome.out
    assert shell.run("plan", path(shell), "--exit-code").code == 10
    assert stored() == before
    assert_no_secrets(outcome)


def test_apply_creates_resources_and_changes_nothing_the_second_time(
    shell: Terminal, alice: Person
) -> None:
    first = apply(shell)
    assert first.code == 0, first
    channels, targets = state(alice)
    assert {one["name"] for one in channels} == {"On call", "Team chat"}  # type: ignore[attr-defined]
    shop = alice.get("/v1/targets?q=Shop").json["items"][0]
    assert shop["url"] == "https://***@shop.example/health"
    assert (shop["interval_s"], shop["tags"]) == (300, ["prod"])
    assert len(shop["channel_ids"]) == 2
    before = stored()

    second = apply(shell)
    assert second.code == 0, second
    assert "0 to create, 0 to change, 0 to delete, 3 with secrets to resend" in second.out
    assert "unchanged target Shop" in second.out
    assert shell.run("plan", path(shell), "--exit-code").code == 0
    assert state(alice) == [channels, targets]
    assert stored() == before
    assert_no_secrets(first)
    assert_no_secrets(second)


def test_changed_secret_is_reported_as_changed(shell: Terminal, alice: Person) -> None:
    apply(shell)
    outcome = apply(shell.with_env(SHOP_TOKEN="another"))
    assert "changed target Shop" in outcome.out
    assert "unchanged channel Team chat" in outcome.out


def test_changes_are_listed_by_field_and_missing_fields_revert_to_defaults(
    shell: Terminal, alice: Person
) -> None:
    apply(shell)
    write(shell, FILE.replace("interval_s: 300", "timeout_s: 5").replace("status_codes: [200]", ""))
    outcome = apply(shell)
    assert outcome.code == 0, outcome
    for line in (
        "    interval_s: 300 -> 60",
        "    timeout_s: 10 -> 5",
        '    expect.status_codes: [200] -> ["200-299"]',
    ):
        assert line in outcome.out
    shop = alice.get("/v1/targets?q=Shop").json["items"][0]
    assert (shop["interval_s"], shop["timeout_s"]) == (60, 5)
    assert shop["expect"]["status_codes"] == ["200-299"]
    assert shop["expect"]["json"]


def test_prune_only_deletes_in_sections_of_the_file(shell: Terminal, alice: Person) -> None:
    apply(shell)
    write(shell, "targets:\n  Mail:\n    kind: tcp\n    host: mail.example\n    port: 993\n")
    outcome = apply(shell)
    assert "Not in the file, kept (use --prune to delete): target Shop" in outcome.out
    assert len(alice.get("/v1/targets").json["items"]) == 2
    assert "deleted target Shop" in apply(shell, "--prune").out
    assert [one["name"] for one in alice.get("/v1/targets").json["items"]] == ["Mail"]
    assert len(alice.get("/v1/channels").json["items"]) == 2


def test_applying_an_export_to_the_same_account_changes_nothing(
    shell: Terminal, alice: Person
) -> None:
    apply(shell)
    before = stored()
    exported = shell.ok("export")
    assert "exported 4 secrets as ***" in exported.err
    write(shell, exported.out)
    outcome = apply(shell, "--prune")
    assert "0 to create, 0 to change, 0 to delete, 4 unchanged" in outcome.out
    assert stored() == before


def test_applying_an_export_to_another_account_creates_the_same_resources(
    shell: Terminal, api_server: ApiServer, bob: Person
) -> None:
    write(
        shell, FILE.replace("probe:${SHOP_PASSWORD}@", "").replace("Bearer ${SHOP_TOKEN}", "'***'")
    )
    theirs = Terminal(shell.home, shell.env).logged_in(api_server.url, bob.token)
    rejected = apply(theirs)
    assert rejected.code == 6
    assert f"{path(shell)}:19: *** stands for a stored secret" in rejected.err
    write(
        shell,
        FILE.replace("    headers:\n      Authorization: Bearer ${SHOP_TOKEN}\n", "")
        .replace("probe:${SHOP_PASSWORD}@", "")
        .replace("${CHAT_URL}", "ntfy://topic-of-ours")
        .replace("    send: login ${MAIL_PASSWORD}\n", ""),
    )
    apply(shell)
    exported = shell.ok("export").out
    write(shell, exported.replace("ntfy://***", "ntfy://topic-of-ours"))
    assert apply(theirs).code == 0
    assert theirs.ok("export").out == exported


def test_validation_errors_of_the_api_have_file_and_line(shell: Terminal, alice: Person) -> None:
    write(shell, FILE.replace("interval_s: 300", "interval_s: 7").replace("port: 993", "port: 0"))
    outcome = apply(shell)
    assert outcome.code == 9
    assert f"{path(shell)}:4: interval_s: " in outcome.err
    assert f"{path(shell)}:29: port: " in outcome.err
    assert "2 succeeded, 2 failed, 0 skipped; apply again to retry" in outcome.err
    write(shell, FILE)
    assert "Plan: 2 to create" in apply(shell).out
    assert len(alice.get("/v1/targets").json["items"]) == 2


def test_unknown_names_are_rejected_before_any_change(shell: Terminal) -> None:
    before = stored()
    write(shell, FILE.replace("[Team chat, On call]", "[Team chat, Nobody]"))
    outcome = apply(shell)
    assert outcome.code == 6
    assert f"{path(shell)}:25: no channel is named 'Nobody'" in outcome.err
    assert stored() == before


def test_duplicate_names_are_rejected(shell: Terminal, alice: Person) -> None:
    for _ in range(2):
        alice.make_target(name="Shop")
    outcome = apply(shell)
    assert outcome.code == 6
    assert f"{path(shell)}:15: 2 targets are named 'Shop'" in outcome.err
    assert shell.run("export").code == 5


def test_kind_is_immutable(shell: Terminal) -> None:
    apply(shell)
    write(
        shell,
        FILE.replace("kind: tcp", "kind: tls").replace("    send: login ${MAIL_PASSWORD}\n", ""),
    )
    outcome = apply(shell)
    assert outcome.code == 6
    assert f"{path(shell)}:27: kind is immutable: 'Mail' has tcp" in outcome.err


def test_prune_keeps_a_channel_that_a_target_references(shell: Terminal) -> None:
    apply(shell)
    before = stored()
    write(
        shell,
        "channels: {}\ntargets:\n  Mail: {kind: tcp, host: h.example, port: 1,"
        " channels: [On call]}\n",
    )
    outcome = apply(shell, "--prune")
    assert outcome.code == 6
    assert "--prune would delete it" in outcome.err
    assert stored() == before


def test_deleted_resources_are_created_again(shell: Terminal, alice: Person) -> None:
    apply(shell)
    for one in alice.get("/v1/targets").json["items"]:
        alice.delete(f"/v1/targets/{one['id']}")
    assert apply(shell).code == 0
    assert len(alice.get("/v1/targets").json["items"]) == 2


def test_apply_without_confirmation_changes_nothing(shell: Terminal) -> None:
    before = stored()
    outcome = shell.run("apply", path(shell))
    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert stored() == before


def test_plan_and_results_as_json(shell: Terminal) -> None:
    planned = shell.ok("plan", path(shell), "--json").json
    assert [step["action"] for step in planned["steps"]] == ["create"] * 4
    done = shell.ok("apply", path(shell), "--yes", "--json").json
    assert {step["outcome"] for step in done["steps"]} == {"created"}
    assert Path(path(shell)).exists()


def test_change_between_plan_and_apply_is_kept(
    shell: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(shell)
    shop = alice.get("/v1/targets?q=Shop").json["items"][0]
    write(shell, FILE.replace("interval_s: 300", "interval_s: 600"))
    person = Terminal(shell.home, shell.env, tty=True)

    def confirm_late() -> str:
        alice.patch(f"/v1/targets/{shop['id']}", {"timeout_s": 3})
        return "y\n"

    monkeypatch.setattr("tests.cli.terminal.Stream.readline", lambda _: confirm_late())
    outcome = person.run("apply", path(shell))
    assert outcome.code == 9
    assert "'Shop' has been changed since the plan was created: apply again" in outcome.err
    now = alice.get(f"/v1/targets/{shop['id']}").json
    assert (now["interval_s"], now["timeout_s"]) == (300, 3)


def test_every_change_and_deletion_sends_if_match(shell: Terminal, api_server: ApiServer) -> None:
    apply(shell)
    api_server.requests.clear()
    write(shell, "channels: {}\ntargets:\n  Shop: {kind: http, url: 'https://shop.example'}\n")
    assert apply(shell, "--prune").code == 0
    writes = [request for request in api_server.requests if request[0] in {"PATCH", "DELETE"}]
    assert len(writes) == 4
    assert all(headers.get("If-Match") for _, _, headers in writes)


def test_applying_concurrently_creates_each_resource_once(
    shell: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Terminal(shell.home, shell.env, tty=True)

    def confirm_late() -> str:
        apply(shell)
        return "y\n"

    monkeypatch.setattr("tests.cli.terminal.Stream.readline", lambda _: confirm_late())
    person.run("apply", path(shell))
    assert len(alice.get("/v1/targets").json["items"]) == 2
    assert len(alice.get("/v1/channels").json["items"]) == 2
