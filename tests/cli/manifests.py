"""A manifest that uses every feature, and helpers to apply it."""

from tests.cli.terminal import Outcome, Terminal
from tests.support.world import Person

FILE = """\
version: 1
x-common: &common
  kind: http
  interval_s: 300
  tags: [prod]
channels:
  On call:
    kind: webhook
    url: https://example.com/hooks/monitum
  Team chat:
    kind: apprise
    url: ${CHAT_URL}
    events: [recovered, down]
targets:
  Shop:
    <<: *common
    url: https://probe:${SHOP_PASSWORD}@shop.example/health
    headers:
      Authorization: Bearer ${SHOP_TOKEN}
    expect:
      status_codes: [200]
      json:
        - path: $.status
          equals: ok
    channels: [Team chat, On call]
  Mail:
    kind: tcp
    host: mail.example
    port: 993
    send: login ${MAIL_PASSWORD}
    enabled: false
"""
SECRETS = {
    "CHAT_URL": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts",
    "SHOP_PASSWORD": "hunter2",
    "SHOP_TOKEN": "s3cret-token",
    "MAIL_PASSWORD": "correct-horse",
}


def write(terminal: Terminal, text: str) -> None:
    (terminal.home / "monitum.yml").write_text(text, encoding="utf-8")


def path(terminal: Terminal) -> str:
    return str(terminal.home / "monitum.yml")


def apply(terminal: Terminal, *options: str) -> Outcome:
    return terminal.run("apply", path(terminal), "--yes", *options)


def apply_text(terminal: Terminal, text: str, *options: str) -> Outcome:
    write(terminal, text)
    return apply(terminal, *options)


def state(person: Person) -> list[object]:
    return [person.get(f"/v1/{noun}").json["items"] for noun in ("channels", "targets")]


def assert_no_secrets(outcome: Outcome) -> None:
    assert not [value for value in SECRETS.values() if value in outcome.out + outcome.err]
