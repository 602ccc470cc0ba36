"""The functions' zip: without unused files, compiled and reproducible."""

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import _brotli  # type: ignore[import-not-found]
import brotli  # type: ignore[import-untyped]
import pytest

from ops.packaging import exclusions, layer, package


def create_files(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("VALUE = {'a', 'b', 'c'}\n", encoding="utf-8")
    return root


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_unused_files_are_removed(tmp_path: Path) -> None:
    kept = {
        "apprise/plugins/base.py", "apprise/plugins/slack.py",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz", "botocore/data/endpoints.json",
        "botocore/docs/service.py", "botocore/session.py", "chalice/__init__.py", "chalice/app.py",
        "dns/message.py", "pydantic-2.dist-info/METADATA", "pydantic-2.dist-info/licenses/LICENSE",
        "pydantic/main.py",
    }  # fmt: skip
    unused = {
        "apprise/plugins/mqtt.py", "apprise/plugins/email/base.py", "dns/asyncquery.py",
        "dns/quic/_common.py", "bin/chalice", "boto3-1.dist-info/METADATA", "boto3/session.py",
        "botocore/cacert.pem", "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "chalice/cli/factory.py", "pydantic-2.dist-info/RECORD",
        "pydantic-2.dist-info/entry_points.txt", "pydantic/main.pyi", "pydantic/py.typed",
        "pydantic/v1/main.py", "requests/tests/test_api.py",
    }  # fmt: skip
    create_files(tmp_path, *kept, *unused)

    exclusions.remove_unused(tmp_path)

    assert files(tmp_path) == kept


def test_libraries_are_shipped_without_debug_information(tmp_path: Path) -> None:
    library = Path(str(_brotli.__file__))
    copy = tmp_path / library.name
    copy.write_bytes(library.read_bytes())

    exclusions.remove_debug_information(tmp_path)

    assert copy.stat().st_size < library.stat().st_size / 2
    code = f"import _brotli; assert _brotli.decompress({brotli.compress(b'x')!r}) == b'x'"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, check=True)


def test_the_same_content_gives_the_same_zip(tmp_path: Path) -> None:
    digests = set()
    for name in ("first", "second"):
        tree = create_files(tmp_path / name, "b.py", "a/__init__.py")
        layer.compile_tree(tree)
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            layer.add_tree(archive, tree)
        digests.add(hashlib.sha256((tmp_path / f"{name}.zip").read_bytes()).hexdigest())

    assert len(digests) == 1


def test_bytecode_is_unchecked_and_contains_no_local_path(tmp_path: Path) -> None:
    layer.compile_tree(create_files(tmp_path, "module.py"))

    (compiled,) = tmp_path.rglob("*.pyc")
    content = compiled.read_bytes()
    assert compiled.name == f"module.{sys.implementation.cache_tag}.pyc"
    assert content[:4] == importlib.util.MAGIC_NUMBER
    # PEP 552: hash-based (bit 0) and not checked against the source (bit 1).
    assert int.from_bytes(content[4:8], "little") == 0b01
    assert str(tmp_path).encode() not in content
    assert b"/var/task/module.py" in content


def test_dependencies_are_shipped_without_sources(tmp_path: Path) -> None:
    layer.compile_tree(create_files(tmp_path, "some/module.py"), keep_sources=False)

    assert files(tmp_path) == {"some/module.pyc"}


def test_the_inputs_hash_depends_on_code_and_stage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = create_files(tmp_path / "project", "app.py", "chalicelib/api.py", "requirements.txt")
    monkeypatch.setattr(package, "ROOT", code)
    monkeypatch.setattr(package, "RECIPE", (code / "requirements.txt",))
    monkeypatch.setattr(package, "architecture", lambda _stage: "arm64")
    before = package.inputs("local")

    assert package.inputs("local") == before
    assert package.inputs("prod") != before
    (code / "chalicelib" / "api.py").write_text("VALUE = 2\n", encoding="utf-8")
    assert package.inputs("local") != before
