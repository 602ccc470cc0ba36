"""The dependencies of the functions as one zip file, built once per set of pins.

Only what runs is kept (slimming.py). Bytecode is compiled in, because without it a cold start takes
almost three times as long.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ops import slimming
from ops.console import Failure

# Zip's own beginning of time: the same content gives the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
# Up to the C library of the oldest of Lambda's Pythons that we take, 3.11 on Amazon Linux 2.
PLATFORMS = {
    "arm64": ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_26_aarch64"),
    # RE2's needs glibc 2.27: the runtimes from Python 3.12 on have it, that of 3.11 has 2.26.
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_27_x86_64"),
}


def build(requirements: Path, cache: Path, architecture: str | None) -> Path:
    """The zip of the dependencies; from the cache when its pins were built before.

    `architecture` is Lambda's (`arm64`, `x86_64`), or None for this machine, as the emulators run
    functions as its processes.

    Raises:
        Failure: pip could not get a wheel.
    """
    digest = hashlib.sha256(requirements.read_bytes())
    for recipe in (__file__, slimming.__file__):
        digest.update(Path(recipe).read_bytes())
    digest.update(f"{sys.implementation.cache_tag} {architecture or sys.platform}".encode())
    path = cache / f"layer-{digest.hexdigest()[:16]}.zip"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        site = Path(work) / "site"
        _install(requirements, site, architecture)
        slimming.slim(site)
        compile_tree(site, keep_sources=False)
        unfinished = Path(work) / "layer.zip"
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            add_tree(archive, site)
        unfinished.replace(path)
    return path


def compile_tree(tree: Path, *, keep_sources: bool = True) -> None:
    """Compile what is under `tree` for Lambda: never checked against the source again.

    Without the sources the bytecode takes their place: half the size, and tracebacks name the lines
    without showing them.
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
    # The order of constants in sets depends on the hash seed: fixed, the same code is the same zip.
    subprocess.run(
        [sys.executable, "-m", "compileall", *arguments, str(tree)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    if not keep_sources:
        for source in tree.rglob("*.py"):
            source.unlink()


def add_tree(archive: zipfile.ZipFile, tree: Path) -> None:
    """Write every file under `tree`, in order, readable by everybody and without a date."""
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
        raise Failure("could not get the functions' dependencies:\n" + done.stderr[-1500:])
