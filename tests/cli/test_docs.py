"""docs/cli.md is true: its transcripts are executed, its names are those of the code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from monitum_cli.commands.root import cli
from monitum_cli.errors import Exit
from tests.cli.terminal import Terminal
from tests.support.world import World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Alice's, in a directory of her own; checks that are ordered are done at once."""
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
    """Each command of a transcript with what it prints."""
    for part in text.split("$ ")[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def fits(printed: str, told: str) -> bool:
    """Whether a command printed what is told; `…` stands for anything, columns may be wider."""
    pattern = re.escape(" ".join(told.split())).replace("…", ".*")
    return re.fullmatch(pattern, " ".join(printed.split())) is not None


@pytest.mark.parametrize("page", [PAGE, README], ids=["cli.md", "README"])
def test_the_transcripts_are_true(shell: Terminal, page: str) -> None:
    last = "0"
    ran = 0
    for language, text in _BLOCK.findall(page):
        if language == "yaml":
            (shell.home / "monitum.yml").write_text(text, encoding="utf-8")
            continue
        for command, told in commands(text):
            if command == "echo $?":
                assert told.strip() == last
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
                assert fits(printed, told), f"{command}\n{outcome}"
            last = str(int(outcome.code))
            ran += 1
    assert ran >= 4


def leaves(command: click.Command, path: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, f"{path} {name}".strip())
    else:
        yield path


def test_every_command_and_every_exit_code_is_on_the_page() -> None:
    for path in leaves(cli):
        assert all(re.search(rf"\b{re.escape(word)}\b", PAGE) for word in path.split()), path
    for code in Exit:
        assert re.search(rf"^\|.*\b{int(code)}\b", PAGE, re.MULTILINE), code


def test_every_command_explains_itself(shell: Terminal) -> None:
    for path in leaves(cli):
        outcome = shell.run(*path.split(), "--help")
        assert outcome.code == 0


def test_every_command_takes_json() -> None:
    for path in leaves(cli):
        command: click.Command = cli
        for word in path.split():
            assert isinstance(command, click.Group)
            command = command.commands[word]
        assert any("--json" in option.opts for option in command.params), path
