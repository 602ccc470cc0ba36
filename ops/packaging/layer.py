"""The dependencies of the functions as one zip file, built once per set of pinned versions.

The zip contains bytecode, because without it a cold start takes almost three times as long.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ops.console import Failure
from ops.packaging import exclusions

# The earliest date of the zip format. A fixed date makes the same content give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
# Wheels for glibc up to 2.26, which Lambda's Python 3.11 (on Amazon Linux 2) has.
PLATFORMS = {
    "arm64": ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_26_aarch64"),
    # Except here: RE2's wheel needs glibc 2.27, which only the runtimes from Python 3.12 on have.
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_27_x86_64"),
}


def build(requirements: Path, cache: Path, architecture: str | None) -> Path:
    """Build the zip of the dependencies, or return the cached one of the same pins.

    `architecture` is Lambda's (`arm64`, `x86_64`), or None for this machine: emulators run
    functions as processes of it.

    Raises:
        Failure: pip could not download a wheel.
    """
    digest = hashlib.sha256(requirements.read_bytes())
    for recipe in (__file__, exclusions.__file__):
        digest.update(Path(recipe).read_bytes())
    digest.update(f"{sys.implementation.cache_tag} {architecture or sys.platform}".encode())
    path = cache / f"layer-{digest.hexdigest()[:16]}.zip"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        site = Path(work) / "site"
        _install(requirements, site, architecture)
        exclusions.remove_unused(site)
        exclusions.remove_debug_information(site)
        compile_tree(site, keep_sources=False)
        unfinished = Path(work) / "layer.zip"
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            add_tree(archive, site)
        unfinished.replace(path)
    return path


def compile_tree(tree: Path, *, keep_sources: bool = True) -> None:
    """Compile the modules under `tree` for Lambda, to bytecode that is not checked against sources.

    Without sources the size is half; tracebacks then give line numbers but not the lines.
    """
    arguments = [
        *([] if keep_sources else ["-b"]),
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        str(tree),
        "-p",
        "/var/task",
    ]
    # The order of constants in sets depends on the hash seed. Fix it, so that the same code gives
    # the same zip.
    subprocess.run(
        [sys.executable, "-m", "compileall", *arguments, str(tree)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    if not keep_sources:
        for source in tree.rglob("*.py"):
            source.unlink()


def add_tree(archive: zipfile.ZipFile, tree: Path) -> None:
    """Add every file under `tree`: sorted, world-readable, with a fixed date."""
    for path in sorted(file for file in tree.rglob("*") if file.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, path.read_bytes(), compresslevel=9)


def _install(requirements: Path, site: Path, architecture: str | None) -> None:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-input", "--no-deps"]
    command += ["--no-compile", "--only-binary", ":all:", "--target", str(site)]
    command += ["-r", str(requirements)]
    if architecture:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        command += ["--implementation", "cp", "--python-version", version]
        for platform in PLATFORMS[architecture]:
            command += ["--platform", platform]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure("could not download the functions' dependencies:\n" + done.stderr[-1500:])
