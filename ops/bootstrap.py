"""Creates the virtual environments, with only the standard library.

    python -m ops.bootstrap [run] [dev] [ministack]

`run` has the dependencies of the commands, and `monitum`, the command line, as an editable install;
`dev` adds the development tools and the tests' libraries; `ministack` is the environment of the
local stack. An up-to-date environment is kept: its stamp is a hash of the pinned requirements and
of the Python version.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ops import ROOT
from ops.console import Failure, fail, say

OLDEST, TOO_NEW = (3, 11), (3, 15)
# The Python outside any environment: one that runs from an environment could not recreate it.
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
NETWORK_ERRORS = (
    "Name or service not known", "Temporary failure in name resolution",
    "Failed to establish a new connection", "nodename nor servname", "Network is unreachable",
    "Read timed out", "ConnectTimeout", "No matching distribution found",
)  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """A virtual environment and the requirements that are installed into it.

    `project` is a directory to install as editable.
    """

    path: Path
    requirements: tuple[Path, ...]
    constraints: tuple[Path, ...] = ()
    project: Path | None = None

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def stamp(self) -> str:
        """A hash of everything that requires a new installation when it changes."""
        digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {self.path}".encode())
        for file in (*self.requirements, *self.constraints):
            digest.update(file.read_bytes())
        if self.project:
            digest.update(_install_settings(self.project))
        return f"{digest.hexdigest()} {len(self.requirements)}"

    def is_current(self) -> bool:
        stamp = self.path / "stamp"
        return stamp.exists() and stamp.read_text(encoding="utf-8") == self.stamp

    def pip_arguments(self) -> list[str]:
        files = [item for file in self.requirements for item in ("-r", str(file))]
        limits = [item for file in self.constraints for item in ("-c", str(file))]
        project = ["-e", str(self.project)] if self.project else []
        # pip would compile every module; Python compiles the third of them that is imported.
        options = ["-q", "--no-input", "--no-compile"]
        return ["-m", "pip", "install", *options, *files, *limits, *project]


RUNTIME, TOOLS = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
COMMANDS = ROOT / "requirements-cli.txt"
MINISTACK = ROOT / "ops" / "ministack.txt"
ENVIRONMENTS = {
    "run": Environment(ROOT / ".venv", (RUNTIME, COMMANDS), (TOOLS,), ROOT),
    "dev": Environment(ROOT / ".venv", (RUNTIME, COMMANDS, TOOLS), project=ROOT),
    "ministack": Environment(ROOT / ".local" / "ministack", (MINISTACK,)),
}


def main(names: list[str]) -> int:
    """Update the named environments, in parallel."""
    try:
        _check_python()
        outdated = [ENVIRONMENTS[name] for name in names if not _is_current(name)]
        if outdated:
            _install(outdated)
    except Failure as error:
        return fail(error)
    return 0


def _is_current(name: str) -> bool:
    # The development environment contains everything that `run` needs.
    return ENVIRONMENTS[name].is_current() or (name == "run" and ENVIRONMENTS["dev"].is_current())


def _install_settings(project: Path) -> bytes:
    """The parts of pyproject.toml that affect an installation, not the settings of the tools."""
    import tomllib  # missing in Python 3.10, for which _check_python has an error message

    with (project / "pyproject.toml").open("rb") as file:
        content = tomllib.load(file)
    parts = [content[name] for name in ("build-system", "project")]
    return json.dumps([*parts, content["tool"]["setuptools"]]).encode()


def _check_python() -> None:
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        raise Failure(
            f"Python {sys.version.split()[0]} is not supported: Monitum needs 3.11 to 3.14. "
            "Install one, or name it: make PYTHON=/path/to/python3.13 ..."
        )
    try:
        __import__("venv")
        __import__("ensurepip")
    except ImportError as error:
        raise Failure(
            f"this Python ({sys.executable}) cannot create virtual environments. "
            "On Debian and Ubuntu: apt install python3-venv"
        ) from error


def _install(environments: list[Environment]) -> None:
    say("  installing the pinned dependencies (first time: about a minute)")
    started = time.monotonic()
    running = [_Installation(environment) for environment in environments]
    reported_at = 0.0
    while any(installation.process.poll() is None for installation in running):
        time.sleep(0.2)
        elapsed = time.monotonic() - started
        if elapsed - reported_at >= 10:
            reported_at = elapsed
            say(f"  ... still installing, {elapsed:.0f} s")
    for installation in running:
        installation.finish()
    say(f"  installed in {time.monotonic() - started:.1f} s")


class _Installation:
    """The installation of one environment in a child process. Its output is shown on failure."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        environment.path.parent.mkdir(parents=True, exist_ok=True)
        (environment.path / "stamp").unlink(missing_ok=True)
        path, python = str(environment.path), str(environment.python)
        create = f"venv.create({path!r}, with_pip=True, clear=True)\n"
        script = (
            "import subprocess, sys, venv\n"
            f"{create if _must_create(environment) else ''}"
            f"sys.exit(subprocess.call([{python!r}, *{environment.pip_arguments()!r}]))"
        )
        # finish() closes it, after the child has written to it.
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - see above
        self.process = subprocess.Popen(
            [BASE_PYTHON, "-c", script], stdout=self.output, stderr=subprocess.STDOUT, cwd=ROOT
        )

    def finish(self) -> None:
        """Write the stamp, or raise a Failure with the end of pip's output."""
        with self.output:
            self.output.seek(0)
            output = self.output.read()
        if self.process.returncode == 0:
            stamp = self.environment.path / "stamp"
            stamp.write_text(self.environment.stamp, encoding="utf-8")
            return
        lines = [line for line in output.splitlines() if not line.startswith("WARNING: Location")]
        hint = ""
        if any(sign in output for sign in NETWORK_ERRORS):
            hint = "\nIs there a network? pip has to reach its package index."
        raise Failure(
            f"could not install into {self.environment.path}:\n" + "\n".join(lines[-8:]) + hint
        )


def _must_create(environment: Environment) -> bool:
    """Whether the environment is missing, belongs to another Python or has been moved."""
    probe = "import sys; print(sys.version, sys.base_prefix, sys.prefix)"
    try:
        output = subprocess.run(
            [environment.python, "-c", probe], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return True
    return output != f"{sys.version} {sys.base_prefix} {environment.path}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["run"]))
