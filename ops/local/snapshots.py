"""Saved states of the local stack: directories that are either complete or not there.

A state is written beside the others, synced and renamed. Its manifest has the hash of every file,
so that damage is noticed when it is loaded; the previous state is kept for that case.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

KEPT = 2
_MANIFEST = "manifest.json"
_PREFIX, _UNFINISHED = "state-", "unfinished-"


class Damaged(Exception):
    """A file of a saved state is missing or has changed."""


class Snapshots:
    """The saved states in a directory, and the blobs that they share, such as functions' code."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.blobs = directory / "lambda-blobs"

    def newest_intact(self) -> tuple[Path | None, list[str]]:
        """The newest state that is intact, and what is wrong with newer ones.

        The path is None if nothing has been saved yet. States of older versions, which are files in
        the directory itself, are not verified.

        Raises:
            Damaged: there are states, but none is intact.
        """
        states, problems = self._states(), list[str]()
        for state in reversed(states):
            try:
                self._verify(state)
            except Damaged as error:
                problems.append(f"the saved state {state.name} is damaged: {error}")
                continue
            return state, problems
        if states:
            raise Damaged("; ".join(problems))
        return (self.directory if any(self.directory.glob("*.json")) else None), problems

    def save(self, files: Mapping[str, bytes], blobs: Mapping[str, bytes]) -> None:
        """Save a state: the content of its files, and of its blobs by SHA-256.

        Raises:
            OSError: it cannot be written. The states from before are unchanged.
        """
        states = self._states()
        number = int(states[-1].name.removeprefix(_PREFIX)) + 1 if states else 1
        unfinished = self.directory / f"{_UNFINISHED}{os.getpid()}"
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(mode=0o700)
            self._write_blobs(blobs)
            for name, content in files.items():
                _write(unfinished / name, content)
            hashes = {name: _hash(content) for name, content in files.items()}
            manifest = {"files": hashes, "blobs": sorted(blobs)}
            _write(unfinished / _MANIFEST, json.dumps(manifest).encode())
            _sync(unfinished)
            unfinished.rename(self.directory / f"{_PREFIX}{number:010d}")
            _sync(self.directory)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        self._remove_old()

    def _states(self) -> list[Path]:
        """All states, oldest first."""
        return sorted(self.directory.glob(f"{_PREFIX}*"))

    def _verify(self, state: Path) -> None:
        try:
            manifest = json.loads((state / _MANIFEST).read_bytes())
            expected = {state / name: value for name, value in manifest["files"].items()}
            expected |= {self._blob(value): value for value in manifest["blobs"]}
            for path, value in expected.items():
                if _hash(path.read_bytes()) != value:
                    raise Damaged(f"{path.name} has changed")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(str(error)) from error

    def _write_blobs(self, blobs: Mapping[str, bytes]) -> None:
        self.blobs.mkdir(mode=0o700, exist_ok=True)
        for value, content in blobs.items():
            path = self._blob(value)
            if path.exists() and _hash(path.read_bytes()) == value:
                continue
            unfinished = path.with_suffix(f".{os.getpid()}")
            _write(unfinished, content)
            unfinished.replace(path)
        _sync(self.blobs)

    def _blob(self, value: str) -> Path:
        return self.blobs / f"{value}.zip"

    def _remove_old(self) -> None:
        """Remove all but the newest states, with blobs that no state uses and unfinished files."""
        states = self._states()
        for state in states[:-KEPT]:
            shutil.rmtree(state, ignore_errors=True)
        used = set()
        for state in states[-KEPT:]:
            try:
                used |= {*json.loads((state / _MANIFEST).read_bytes())["blobs"]}
            except (OSError, ValueError, KeyError, TypeError):
                return
        for path in self.blobs.iterdir():
            if path.stem not in used or path.suffix != ".zip":
                path.unlink(missing_ok=True)
        for path in (*self.directory.glob(f"{_UNFINISHED}*"), *self.directory.glob("*.json")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    """Make the names in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
