"""The pip package: the command line with its dependencies, in tested versions."""

import re
import tomllib
from pathlib import Path
from typing import Any

from ops import ROOT
from ops.bootstrap import ENVIRONMENTS
from ops.packaging import package

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SERVER_LIBRARIES = {"boto3", "botocore", "chalice", "pydantic", "pynamodb"}


def pins(*names: str) -> dict[str, tuple[int, ...]]:
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    found = re.findall(r"^([a-z0-9-]+)==([\d.]+)$", text, re.MULTILINE)
    return {name: version(number) for name, number in found}


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.strip(".").split(".")))


def test_pinned_versions_satisfy_the_declared_ranges() -> None:
    tested = pins("requirements.txt", "requirements-cli.txt")
    for dependency in PROJECT["project"]["dependencies"]:
        name, minimum, maximum = re.fullmatch(r"([a-z]+)>=([\d.]+),<(\d+)", dependency).groups()  # type: ignore[union-attr]
        assert version(minimum) <= tested[name] < version(maximum), dependency
        assert name not in SERVER_LIBRARIES


def test_every_package_of_the_command_line_is_installed() -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in code("monitum_cli")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_only_the_application_is_shipped() -> None:
    shipped = {path.relative_to(ROOT) for path in package._shipped()}
    assert {path.parts[0] for path in shipped} == {"app.py", "chalicelib"}
    assert not [path for path in shipped if "__pycache__" in path.parts]
    assert not {"rich", "click"} & set(pins("requirements.txt"))


def test_both_environments_install_the_command_line() -> None:
    for name in ("run", "dev"):
        assert ENVIRONMENTS[name].pip_arguments()[-2:] == ["-e", str(ROOT)]


def code(directory: str) -> list[Path]:
    return [*(ROOT / directory).rglob("*.py")]
