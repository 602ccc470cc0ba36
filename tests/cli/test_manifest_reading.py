"""Invalid files are rejected quickly, with the line, before the API is called."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitum_cli.manifest.export import to_yaml
from monitum_cli.manifest.variables import escape, substitute
from monitum_cli.manifest.yaml_reader import Source, parse
from tests.cli.terminal import Outcome, Terminal

TARGET = "targets:\n  Shop:\n    kind: http\n    url: https://shop.example/\n"


@pytest.fixture
def shell(tmp_path: Path) -> Terminal:
    """A shell without a login: invalid files are rejected before one is needed."""
    return Terminal(tmp_path).with_env(SET="value")


def plan(shell: Terminal, content: str | bytes) -> Outcome:
    raw = content if isinstance(content, bytes) else content.encode()
    (shell.home / "monitum.yml").write_bytes(raw)
    started = time.process_time()
    outcome = shell.run("plan", str(shell.home / "monitum.yml"))
    assert time.process_time() - started < 10
    return outcome


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("- a\n", 1, "the file must be a map of sections"),
        ("targets:\n  - Shop\n", 1, "targets must be a map"),
        ("targets:\n  Shop: x\n", 2, "the target 'Shop' must be a map of fields"),
        ("version: 2\n", 1, "version 2 is not supported"),
        ("\ntarget: {}\n", 2, "unknown key 'target': use one of version, channels, targets"),
        (TARGET + "    intervall_s: 60\n", 5, "unknown key 'intervall_s'"),
        (TARGET + "    port: 80\n", 5, "unknown key 'port'"),
        (TARGET + "    expect:\n      status: 200\n", 6, "unknown key 'status'"),
        (TARGET + "    expect:\n      json:\n        - path: $\n          is: 1\n", 8, "key 'is'"),
        (TARGET + "    url: https://again.example/\n", 5, "duplicate key 'url'"),
        (TARGET + "  Shop:\n    kind: tcp\n", 5, "duplicate key 'Shop'"),
        ("targets:\n  Shop:\n    url: x\n", 2, "kind is required"),
        ("targets:\n  Shop:\n    kind: ftp\n", 3, "kind must be one of http, tcp, tls, dns"),
        (TARGET + "    body: ${UNSET}\n", 5, "the environment variable UNSET is not set"),
        (TARGET + "    body: ${\n", 5, "${ starts a variable"),
        (TARGET + "    channels: Team\n", 5, "channels must be a list of names"),
        (TARGET + "    channels: [1]\n", 5, "channels must be a list of names"),
        (TARGET + "    headers:\n      X: ***\n", 6, "quote the mask: '***'"),
        (TARGET + "    body: !!python/object/apply:os.system [ls]\n", 5, "tags such as"),
        (TARGET + "    body: !env SET\n", 5, "tags such as !env are not supported"),
        (TARGET + "    body: *nothing\n", 5, "the anchor &nothing is not defined above"),
        (TARGET + "    <<: 7\n", 5, "<< must be a map"),
        ("targets: &a\n  Shop: *a\n", 2, "the anchor &a is not defined above"),
        ("? [a]\n: b\n", 1, "keys must be text"),
        ("a: [\n", 2, "did not find"),
        ("a: b: c\n", 1, "mapping values are not allowed"),
        ("\ta: b\n", 1, "cannot start any token"),
        ("version: 1\n---\nversion: 1\n", 2, "more than one document"),
        ("version: 1\n\x1b[31m: 2\n", 2, "control characters are not allowed"),
        (b"version: 1\n\xff: 2\n", 2, "the file is not valid UTF-8"),
        ("a: " + "[" * 100_000, 1, "nested more than 20 levels deep"),
        ("{a: " * 100_000, 1, "nested more than 20 levels deep"),
    ],
    ids=range(33),
)  # fmt: skip
def test_errors_have_their_line(
    shell: Terminal, content: str | bytes, line: int, message: str
) -> None:
    outcome = plan(shell, content)
    assert (outcome.code, outcome.out) == (6, "")
    assert outcome.err.startswith(f"error: {shell.home / 'monitum.yml'}:{line}: "), outcome.err
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_multiplying_aliases_are_limited(shell: Terminal) -> None:
    lines = ["x-0: &a0 [" + ",".join("o" * 9) + "]"]
    lines += [f"x-{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 20)]
    outcome = plan(shell, "\n".join(lines))
    assert outcome.code == 6
    assert "more than 500,000 values, including aliased ones" in outcome.err


def test_large_file_is_rejected(shell: Terminal) -> None:
    outcome = plan(shell, "# " + "x" * (5 * 1024 * 1024))
    assert outcome.code == 6
    assert "is larger than 4 MiB" in outcome.err


def test_missing_file_is_named(shell: Terminal) -> None:
    outcome = shell.run("plan", str(shell.home / "nothing.yml"))
    assert outcome.code == 6
    assert "nothing.yml: No such file" in outcome.err


def read(text: str, **env: str) -> object:
    source = Source("file")
    return substitute(source, parse(source, text.encode()), env)


def test_scalars_are_typed_as_in_json() -> None:
    text = (
        "[no, on, 12:30, 2026-11-22, 0o17, 0x1f, 1_000, 1e3, .5, 007, 7, -1.5, true, null, ~, '7']"
    )
    assert read(text) == [
        "no", "on", "12:30", "2026-11-22", "0o17", "0x1f", "1_000", "1e3", ".5", 7, 7, -1.5, True,
        None, None, "7",
    ]  # fmt: skip


def test_merged_maps_and_precedence() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {'<<': 1}\n"
    value = read(text)
    assert isinstance(value, dict)
    assert value["c"] == {"x": 1, "y": 1, "z": 3}
    assert value["d"] == {"<<": 1}


def test_variables_are_substituted_once_and_only_in_values() -> None:
    assert read("a${N}: x${N}y$${N}$N", N="${N}") == {"a${N}": "x${N}y${N}$N"}


texts = st.text(max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(texts, st.dictionaries(texts, values, max_size=3), min_size=1, max_size=3))
def test_written_manifest_is_read_back_unchanged(targets: dict[str, dict[str, object]]) -> None:
    text = to_yaml({"targets": escape(targets)})
    assert all(char.isprintable() or char == "\n" for char in text)
    assert read(text) == {"version": 1, "targets": targets}
