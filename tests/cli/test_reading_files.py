"""A file may hold anything: what is wrong is told with its line, fast, before a call is made."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitum_cli.manifest.variables import escaped, filled
from monitum_cli.manifest.write import as_yaml
from monitum_cli.manifest.yamltext import Source, parse
from tests.cli.terminal import Outcome, Terminal

TARGET = "targets:\n  Shop:\n    kind: http\n    url: https://shop.example/\n"


@pytest.fixture
def shell(tmp_path: Path) -> Terminal:
    """Nobody's: a file that is wrong is refused before the API is looked for."""
    return Terminal(tmp_path).with_env(SET="value")


def plan(shell: Terminal, content: str | bytes) -> Outcome:
    raw = content if isinstance(content, bytes) else content.encode()
    (shell.home / "monitum.yml").write_bytes(raw)
    started = time.process_time()
    outcome = shell.run("plan", str(shell.home / "monitum.yml"))
    assert time.process_time() - started < 10
    return outcome


@pytest.mark.parametrize(
    ("content", "line", "told"),
    [
        ("", 1, "the file is empty"),
        ("- a\n", 1, "a file has sections"),
        ("targets:\n  - Shop\n", 1, "targets is a map"),
        ("targets:\n  Shop: x\n", 2, "the target 'Shop' is a map of fields"),
        ("version: 2\n", 1, "version 2 is not known"),
        ("\ntarget: {}\n", 2, "'target' is not known; there is version, channels, targets"),
        (TARGET + "    intervall_s: 60\n", 5, "'intervall_s' is not known"),
        (TARGET + "    port: 80\n", 5, "'port' is not known"),
        (TARGET + "    expect:\n      status: 200\n", 6, "'status' is not known"),
        (TARGET + "    expect:\n      json:\n        - path: $\n          is: 1\n", 8, "'is'"),
        (TARGET + "    url: https://again.example/\n", 5, "'url' is there twice"),
        (TARGET + "  Shop:\n    kind: tcp\n", 5, "'Shop' is there twice"),
        ("targets:\n  Shop:\n    url: x\n", 2, "the kind is missing"),
        ("targets:\n  Shop:\n    kind: ftp\n", 3, "kind is to be one of http, tcp, tls, dns"),
        (TARGET + "    body: ${UNSET}\n", 5, "the environment variable UNSET is not set"),
        (TARGET + "    body: ${\n", 5, "${ begins a variable"),
        (TARGET + "    channels: Team\n", 5, "channels is a list of names"),
        (TARGET + "    channels: [1]\n", 5, "channels is a list of names"),
        (TARGET + "    headers:\n      X: ***\n", 6, "wants quotes"),
        (TARGET + "    body: !!python/object/apply:os.system [ls]\n", 5, "tags such as"),
        (TARGET + "    body: !env SET\n", 5, "tags such as !env are not read"),
        (TARGET + "    body: *nothing\n", 5, "there is no anchor &nothing before this"),
        (TARGET + "    <<: 7\n", 5, "<< wants a map"),
        ("targets: &a\n  Shop: *a\n", 2, "there is no anchor &a before this"),
        ("? [a]\n: b\n", 1, "a key must be a text"),
        ("a: [\n", 2, "did not find"),
        ("a: b: c\n", 1, "mapping values are not allowed"),
        ("\ta: b\n", 1, "cannot start any token"),
        ("version: 1\n---\nversion: 1\n", 2, "a second document"),
        ("version: 1\n\x1b[31m: 2\n", 2, "control character"),
        (b"version: 1\n\xff: 2\n", 2, "this is not UTF-8"),
        ("a: " + "[" * 100_000, 1, "nested deeper than 20 levels"),
        ("{a: " * 100_000, 1, "nested deeper than 20 levels"),
    ],
    ids=range(33),
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    shell: Terminal, content: str | bytes, line: int, told: str
) -> None:
    outcome = plan(shell, content)
    assert (outcome.code, outcome.out) == (6, "")
    assert outcome.err.startswith(f"error: {shell.home / 'monitum.yml'}:{line}: "), outcome.err
    assert told in outcome.err
    assert outcome.err.count("\n") == 1


def test_aliases_that_multiply_are_stopped(shell: Terminal) -> None:
    lines = ["x-0: &a0 [" + ",".join("o" * 9) + "]"]
    lines += [f"x-{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 20)]
    outcome = plan(shell, "\n".join(lines))
    assert outcome.code == 6
    assert "more than 500,000 values, aliases counted" in outcome.err


def test_a_file_that_is_too_large_is_not_read(shell: Terminal) -> None:
    outcome = plan(shell, "# " + "x" * (5 * 1024 * 1024))
    assert outcome.code == 6
    assert "is over 4 MiB" in outcome.err


def test_a_file_that_is_not_there_is_named(shell: Terminal) -> None:
    outcome = shell.run("plan", str(shell.home / "nothing.yml"))
    assert outcome.code == 6
    assert "nothing.yml: No such file" in outcome.err


def read(text: str, **env: str) -> object:
    source = Source("file")
    return filled(source, parse(source, text.encode()), env)


def test_scalars_are_those_of_json() -> None:
    text = (
        "[no, on, 12:30, 2026-11-22, 0o17, 0x1f, 1_000, 1e3, .5, 007, 7, -1.5, true, null, ~, '7']"
    )
    assert read(text) == [
        "no", "on", "12:30", "2026-11-22", "0o17", "0x1f", "1_000", "1e3", ".5", 7, 7, -1.5, True,
        None, None, "7",
    ]  # fmt: skip


def test_maps_are_merged_and_what_is_said_counts() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {'<<': 1}\n"
    value = read(text)
    assert isinstance(value, dict)
    assert value["c"] == {"x": 1, "y": 1, "z": 3}
    assert value["d"] == {"<<": 1}


def test_variables_are_filled_in_once_and_only_in_values() -> None:
    assert read("a${N}: x${N}y$${N}$N", N="${N}") == {"a${N}": "x${N}y${N}$N"}


texts = st.text(max_size=30)
things = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(texts, st.dictionaries(texts, things, max_size=3), min_size=1, max_size=3))
def test_what_is_written_is_read_as_it_was(targets: dict[str, dict[str, object]]) -> None:
    text = as_yaml({"targets": escaped(targets)})
    assert all(char.isprintable() or char == "\n" for char in text)
    assert read(text) == {"version": 1, "targets": targets}
