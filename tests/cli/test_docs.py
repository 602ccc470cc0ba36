"""docs/cli.md is accurate: its transcripts are executed and its commands and codes exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from monitum_cli.errors import ExitCode
from monitum_cli.main import cli
from tests.cli.terminal import Terminal
from tests.support.world import World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Alice's shell in an empty directory; requested checks are executed immediately."""
    send = world.queue.send

    def send_and_deliver(sent: object) -> None:
        send(sent)  # type: ignore[arg-type]
        world.clock.time += 1
        world.deliver()

    monkeypatch.setattr(world.queue, "send", send_and_deliver)
    monkeypatch.chdir(terminal.home)
    return terminal.with_env(
        CHAT_URL="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", SHOP_TOKEN="s3cret"
    )


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a transcript with their output."""
    for part in text.split("$ ")[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def matches(printed: str, documented: str) -> bool:
    """Compare output with a transcript, in which `…` is anything and spaces do not count."""
    pattern = re.escape(" ".join(documented.split())).replace("…", ".*")
    return re.fullmatch(pattern, " ".join(printed.split())) is not None


@pytest.mark.parametrize("page", [PAGE, README], ids=["cli.md", "README"])
def test_transcripts_are_accurate(shell: Terminal, page: str) -> None:
    last = "0"
    ran = 0
    for language, text in _BLOCK.findall(page):
        if language == "yaml":
            (shell.home / "monitum.yml").write_text(text, encoding="utf-8")
            continue
        for command, documented in commands(text):
            if command == "echo $?":
                assert documented.strip() == last
                continue
            words = shlex.split(command)
            assert words.pop(0) == "monitum"
            if ">" in words:
                words, file = words[: words.index(">")], words[-1]
                outcome = shell.ok(*words)
                (shell.home / file).write_text(outcome.out, encoding="utf-8")
            else:
                outcome = shell.run(*words)
                printed = outcome.out or outcome.err
                assert matches(printed, documented), f"{command}\n{outcome}"
            last = str(int(outcome.code))
            ran += 1
    assert ran >= 4


def leaves(command: click.Command, path: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, f"{path} {name}".strip())
    else:
        yield path


def test_every_command_and_exit_code_is_documented() -> None:
    for path in leaves(cli):
        assert all(re.search(rf"\b{re.escape(word)}\b", PAGE) for word in path.split()), path
    for code in ExitCode:
        assert re.search(rf"^\|.*\b{int(code)}\b", PAGE, re.MULTILINE), code


def test_every_command_has_help(shell: Terminal) -> None:
    for path in leaves(cli):
        outcome = shell.run(*path.split(), "--help")
        assert outcome.code == 0


def test_every_command_accepts_json() -> None:
    for path in leaves(cli):
        command: click.Command = cli
        for word in path.split():
            assert isinstance(command, click.Group)
            command = command.commands[word]
        assert any("--json" in option.opts for option in command.params), path
