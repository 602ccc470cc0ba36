"""What pip installs is the command line with what it needs, in versions that are tested."""

import re
import tomllib
from pathlib import Path
from typing import Any

from ops import package
from ops.bootstrap import ENVIRONMENTS, ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOT_FOR_THE_USER = {"boto3", "botocore", "chalice", "pydantic", "pynamodb"}


def pins(*names: str) -> dict[str, tuple[int, ...]]:
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    found = re.findall(r"^([a-z0-9-]+)==([\d.]+)$", text, re.MULTILINE)
    return {name: version(number) for name, number in found}


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.strip(".").split(".")))


def test_the_pinned_versions_are_among_those_that_pip_may_choose() -> None:
    tested = pins("requirements.txt", "requirements-cli.txt")
    for dependency in PROJECT["project"]["dependencies"]:
        name, least, most = re.fullmatch(r"([a-z]+)>=([\d.]+),<(\d+)", dependency).groups()  # type: ignore[union-attr]
        assert version(least) <= tested[name] < version(most), dependency
        assert name not in NOT_FOR_THE_USER


def test_every_package_of_the_command_line_is_installed() -> None:
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in code("monitum_cli")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == there


def test_the_command_line_is_not_shipped() -> None:
    shipped = {path.relative_to(ROOT).parts[0] for path in package._shipped()}
    assert shipped == {"app.py", "chalicelib"}
    assert not {"rich", "click"} & set(pins("requirements.txt"))


def test_both_environments_have_it() -> None:
    for name in ("run", "dev"):
        assert ENVIRONMENTS[name].pip_arguments()[-2:] == ["-e", str(ROOT)]


def code(directory: str) -> list[Path]:
    return [*(ROOT / directory).rglob("*.py")]
