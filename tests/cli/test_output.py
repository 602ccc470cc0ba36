"""Output to terminals and pipes: control characters, colours, widths and encodings."""

import errno
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from monitum_cli.formatting import escape_control
from tests.cli.api_server import ApiServer, CannedResponse
from tests.cli.terminal import Outcome, Stream, Terminal
from tests.support.world import Person

ROOT = Path(__file__).parents[2]
LONG = "日本語のとても長い名前" * 5
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2028\x9b31m[bold]:smile:\r\n"


def printable(outcome: Outcome) -> bool:
    text = (outcome.out + outcome.err).replace("\n", "")
    return text.isprintable()


def test_control_characters_are_escaped() -> None:
    assert escape_control(EVIL) == (
        r"\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2028\x9b31m[bold]:smile:\r\n"
    )
    every = "".join(map(chr, range(0x3000)))
    hidden = {
        char for char in escape_control(every) if unicodedata.category(char) in {"Cc", "Cs", "Zl"}
    }
    assert hidden == set()
    assert escape_control("é 日本 👩\u200d💻") == "é 日本 👩\u200d💻"


def test_names_and_errors_cannot_control_the_terminal(terminal: Terminal, alice: Person) -> None:
    target = alice.make_target(name="[red]Shop[/red] :smile:", body="\x1b[2J\x07")
    alice.world.run(60)
    alice.world.checker.script[target["id"]] = CheckResult(
        Verdict.DOWN, Reason.BODY, 200, Timings(1, 1, 1, 1, 1), EVIL
    )
    alice.world.run(240)
    for command in (
        ["targets", "ls"], ["targets", "show", target["id"]], ["checks", target["id"]],
        ["incidents", "ls"], ["export"],
    ):  # fmt: skip
        for options in ([], ["--json"]):
            outcome = terminal.ok(*command, *options)
            assert printable(outcome), command
    assert "[red]Shop[/red] :smile:" in terminal.ok("targets", "ls").out


def test_malicious_api_cannot_control_the_terminal(
    terminal: Terminal, api_server: ApiServer
) -> None:
    body = '{"detail": "' + "\\u001b[2J" + '", "errors": [{"loc": ["\\u009b"], "msg": "\\r"}]}'
    api_server.canned += [CannedResponse(422, body.encode())]
    outcome = terminal.run("targets", "ls")
    assert outcome.code == 6
    assert printable(outcome)


def test_colours_are_only_used_where_supported(terminal: Terminal, alice: Person) -> None:
    alice.make_target(name="Shop")
    person = Terminal(terminal.home, terminal.env, tty=True)
    assert "\x1b[" in person.ok("targets", "ls").out
    assert "\x1b[" not in person.with_env(TERM="dumb").ok("targets", "ls").out
    assert "\x1b[3" not in person.with_env(NO_COLOR="1").ok("targets", "ls").out
    assert "\x1b[" not in terminal.ok("targets", "ls").out


@pytest.mark.parametrize("columns", [70, 80, 200])
def test_table_fits_the_terminal(terminal: Terminal, alice: Person, columns: int) -> None:
    alice.make_target(name=LONG)
    person = Terminal(terminal.home, terminal.env, tty=True).with_env(
        COLUMNS=str(columns), TERM="dumb"
    )
    for command in (["targets", "ls"], ["targets", "show", LONG]):
        lines = person.ok(*command).out.splitlines()
        assert lines
        assert all(width(line) <= columns for line in lines)


@pytest.mark.parametrize("columns", [1, 5, 20, 39])
def test_narrow_terminal_gets_a_list_without_truncation(
    terminal: Terminal, alice: Person, columns: int
) -> None:
    target = alice.make_target(name=LONG)
    person = Terminal(terminal.home, terminal.env, tty=True).with_env(
        COLUMNS=str(columns), TERM="dumb"
    )
    printed = person.ok("targets", "ls").out
    assert f"NAME: {LONG}\n" in printed
    assert f"ID: {target['id'][:18]}\n" in printed
    assert f"name: {LONG}\n" in person.ok("targets", "show", LONG).out


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def test_nothing_is_truncated_in_a_pipe(terminal: Terminal, alice: Person) -> None:
    name = "n" * 200
    alice.make_target(name=name)
    assert name in terminal.with_env(COLUMNS="20").ok("targets", "ls").out


def test_closed_pipe_ends_the_command_silently(
    terminal: Terminal, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_stream: Stream, _text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    alice.make_target(name="Shop")
    monkeypatch.setattr(Stream, "write", fail)
    outcome = terminal.run("targets", "ls")
    assert (outcome.code, outcome.err) == (141, "")
    assert terminal.run("targets", "show", "nothing").code == 141


def test_ctrl_c_ends_the_command_silently(terminal: Terminal, api_server: ApiServer) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    api_server.canned += [CannedResponse(503)]
    person = Terminal(terminal.home, terminal.env, when_sleeping=interrupt)
    outcome = person.run("targets", "ls")
    assert (outcome.code, outcome.out, outcome.err.strip()) == (130, "", "")


def process(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "monitum_cli", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_process_with_an_ascii_encoding() -> None:
    outcome = process("targets", "show", "日本", MONITUM_TOKEN="x", PYTHONIOENCODING="ascii")
    assert (outcome.returncode, outcome.stdout) == (3, b"")
    assert outcome.stderr == b"error: MONITUM_TOKEN is set without MONITUM_URL: set both\n"
    assert process("--help", PYTHONIOENCODING="ascii").returncode == 0
    assert b"monitum" in process("--version").stdout
    assert process("nonsense").returncode == 2
