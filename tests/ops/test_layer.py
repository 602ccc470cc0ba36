"""The functions' zip: small, compiled, and the same bytes for the same content."""

import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ops import layer, package, slimming
from ops.console import Failure

DOCUMENTED = '''"""Of the module: ü,

two paragraphs."""
from __future__ import annotations

class Thing:
    """Of the class."""  # said
    VALUE = """no docstring,
but a ü"""
    def work(self):
        r"""Of the
        method."""
        return 1
'''


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("VALUE = {'a', 'b', 'c'}\n", encoding="utf-8")
    return root


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_only_what_runs_is_kept(tmp_path: Path) -> None:
    kept = {
        "apprise/plugins/base.py",
        "apprise/plugins/slack.py",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/endpoints.json",
        "botocore/docs/utils.py",
        "botocore/session.py",
        *slimming.STAND_INS,
        "chalice/__init__.py",
        "chalice/app.py",
        "dns/message.py",
        "pydantic-2.dist-info/METADATA",
        "pydantic-2.dist-info/licenses/LICENSE",
        "pydantic/main.py",
    }
    superfluous = {
        "apprise/plugins/mqtt.py",
        "apprise/plugins/email/base.py",
        "dns/asyncquery.py",
        "dns/quic/_common.py",
        "bin/chalice",
        "boto3-1.dist-info/METADATA",
        "boto3/session.py",
        "botocore/cacert.pem",
        "botocore/docs/bcdoc/restdoc.py",
        "botocore/docs/service.py",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "chalice/cli/factory.py",
        "pydantic-2.dist-info/RECORD",
        "pydantic/main.pyi",
        "pydantic/py.typed",
        "pydantic/v1/main.py",
        "requests/tests/test_api.py",
    }
    make(tmp_path, *kept, *superfluous)

    slimming.slim(tmp_path)

    assert files(tmp_path) == kept


def test_a_module_that_another_stands_for_is_replaced(tmp_path: Path) -> None:
    make(tmp_path, *slimming.STAND_INS, "botocore/data/endpoints.json")
    slimming.slim(tmp_path)

    assert "VALUE" not in (tmp_path / "urllib3/http2/__init__.py").read_text(encoding="utf-8")


def test_nothing_stands_for_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"botocore/docs/__init__.py is not there"):
        slimming.slim(tmp_path)


def test_docstrings_are_emptied_and_lines_stay_where_they_are() -> None:
    source = DOCUMENTED.encode()
    found: dict[str, Any] = {}
    exec(compile(slimming.without_docstrings(source), "module.py", "exec"), found)

    texts = (found["__doc__"], found["Thing"].__doc__, found["Thing"].work.__doc__)
    assert texts == ("", "", "")
    assert (
        found["Thing"].VALUE
        == """no docstring,
but a ü"""
    )
    lines = [number for number, line in enumerate(DOCUMENTED.splitlines(), 1) if "return" in line]
    assert found["Thing"].work.__code__.co_firstlineno == lines[0] - 3
    assert [line for *_, line in found["Thing"].work.__code__.co_lines()][-1] == lines[0]


def test_the_same_content_is_the_same_zip(tmp_path: Path) -> None:
    digests = set()
    for name in ("first", "second"):
        tree = make(tmp_path / name, "b.py", "a/__init__.py")
        layer.compile_tree(tree)
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            layer.add_tree(archive, tree)
        digests.add(hashlib.sha256((tmp_path / f"{name}.zip").read_bytes()).hexdigest())

    assert len(digests) == 1


def test_bytecode_is_used_as_it_is_and_names_no_directory_of_this_machine(tmp_path: Path) -> None:
    layer.compile_tree(make(tmp_path, "module.py"))

    (compiled,) = tmp_path.rglob("*.pyc")
    content = compiled.read_bytes()
    assert compiled.name == f"module.{sys.implementation.cache_tag}.pyc"
    assert content[:4] == importlib.util.MAGIC_NUMBER
    # PEP 552: hash-based (bit 0) and not checked against the source (bit 1).
    assert int.from_bytes(content[4:8], "little") == 0b01
    assert str(tmp_path).encode() not in content
    assert b"/var/task/module.py" in content


def test_dependencies_are_shipped_as_bytecode_alone(tmp_path: Path) -> None:
    layer.compile_tree(make(tmp_path, "some/module.py"), keep_sources=False)

    assert files(tmp_path) == {"some/module.pyc"}


def test_the_commands_are_not_shipped() -> None:
    shipped = {path.relative_to(package.ROOT).as_posix() for path in package._shipped()}

    assert {"app.py", "chalicelib/common/settings.py"} <= shipped
    assert not [name for name in shipped if name.startswith(("ops/", "tests/"))]
    assert not [name for name in shipped if "__pycache__" in name]


def test_a_change_of_code_or_of_stage_is_another_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = make(tmp_path / "project", "app.py", "chalicelib/api.py", "requirements.txt")
    monkeypatch.setattr(package, "ROOT", code)
    monkeypatch.setattr(package, "RECIPE", (code / "requirements.txt",))
    monkeypatch.setattr(package, "architecture", lambda _stage: "arm64")
    before = package.inputs("local")

    assert package.inputs("local") == before
    assert package.inputs("prod") != before
    (code / "chalicelib" / "api.py").write_text("VALUE = 2\n", encoding="utf-8")
    assert package.inputs("local") != before
