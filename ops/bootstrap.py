"""Makes the virtual environments, with nothing but the standard library.

    python -m ops.bootstrap [run] [dev] [ministack]

`run` is what the commands need, with `monitum`, the command line, as it is in this directory; `dev`
adds the tools and the tests' libraries; `ministack` is the local stack's own environment. What is
there already and fits is left alone: a stamp holds the hash of the pinned requirements and the
Python they were installed for.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ops.console import Failure, fail, say

ROOT = Path(__file__).resolve().parents[1]
OLDEST, TOO_NEW = (3, 11), (3, 15)
# Not that of an environment, which could not make itself anew while it runs.
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
NETWORK_SIGNS = (
    "Name or service not known",
    "Temporary failure in name resolution",
    "Failed to establish a new connection",
    "nodename nor servname",
    "Network is unreachable",
    "Read timed out",
    "ConnectTimeout",
    "No matching distribution found",
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment: where it is and what is installed into it, in pip's arguments.

    `project` is a directory whose own commands are installed too, as they are there.
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
        """What has to be the same for the environment to be kept."""
        digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {self.path}".encode())
        for file in (*self.requirements, *self.constraints):
            digest.update(file.read_bytes())
        if self.project:
            digest.update(_packaging(self.project))
        return f"{digest.hexdigest()} {len(self.requirements)}"

    def fits(self) -> bool:
        stamp = self.path / "stamp"
        return stamp.exists() and stamp.read_text(encoding="utf-8") == self.stamp

    def pip_arguments(self) -> list[str]:
        files = [item for file in self.requirements for item in ("-r", str(file))]
        limits = [item for file in self.constraints for item in ("-c", str(file))]
        project = ["-e", str(self.project)] if self.project else []
        # Python compiles what is imported, a third of what pip would.
        how = ["-q", "--no-input", "--no-compile"]
        return ["-m", "pip", "install", *how, *files, *limits, *project]


RUNTIME, TOOLS = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
COMMANDS = ROOT / "requirements-cli.txt"
MINISTACK = ROOT / "ops" / "ministack.txt"
ENVIRONMENTS = {
    "run": Environment(ROOT / ".venv", (RUNTIME, COMMANDS), (TOOLS,), ROOT),
    "dev": Environment(ROOT / ".venv", (RUNTIME, COMMANDS, TOOLS), project=ROOT),
    "ministack": Environment(ROOT / ".local" / "ministack", (MINISTACK,)),
}


def main(names: list[str]) -> int:
    """Bring the named environments up to date, side by side."""
    try:
        _check_python()
        wanted = [ENVIRONMENTS[name] for name in names if not _fits(name)]
        if wanted:
            _install(wanted)
    except Failure as error:
        return fail(error)
    return 0


def _fits(name: str) -> bool:
    # An environment with the tools in it also does for running.
    return ENVIRONMENTS[name].fits() or (name == "run" and ENVIRONMENTS["dev"].fits())


def _packaging(project: Path) -> bytes:
    """What of pyproject.toml says how to install; the tools' settings there change often."""
    import tomllib  # not there in a Python that is to be told that it is too old

    with (project / "pyproject.toml").open("rb") as file:
        content = tomllib.load(file)
    parts = [content[name] for name in ("build-system", "project")]
    return json.dumps([*parts, content["tool"]["setuptools"]]).encode()


def _check_python() -> None:
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        raise Failure(
            f"Python {sys.version.split()[0]} does not do: Monitum needs 3.11 to 3.14. "
            "Install one, or name it: make PYTHON=/path/to/python3.13 ..."
        )
    try:
        __import__("venv")
        __import__("ensurepip")
    except ImportError as error:
        raise Failure(
            f"this Python ({sys.executable}) cannot make virtual environments. "
            "On Debian and Ubuntu: apt install python3-venv"
        ) from error


def _install(environments: list[Environment]) -> None:
    say("  installing the pinned dependencies (first time: about a minute)")
    started = time.monotonic()
    running = [_Installation(environment) for environment in environments]
    said = 0.0
    while any(installation.process.poll() is None for installation in running):
        time.sleep(0.2)
        elapsed = time.monotonic() - started
        if elapsed - said >= 10:
            said = elapsed
            say(f"  ... still installing, {elapsed:.0f} s")
    for installation in running:
        installation.finish()
    say(f"  installed in {time.monotonic() - started:.1f} s")


class _Installation:
    """One environment being made in a child process, its output kept for the case of a failure."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        environment.path.parent.mkdir(parents=True, exist_ok=True)
        (environment.path / "stamp").unlink(missing_ok=True)
        path, python = str(environment.path), str(environment.python)
        fresh = f"venv.create({path!r}, with_pip=True, clear=True)\n"
        script = (
            "import subprocess, sys, venv\n"
            f"{fresh if _is_foreign(environment) else ''}"
            f"sys.exit(subprocess.call([{python!r}, *{environment.pip_arguments()!r}]))"
        )
        # Closed by finish(), after the child has written to it.
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - see above
        self.process = subprocess.Popen(
            [BASE_PYTHON, "-c", script], stdout=self.output, stderr=subprocess.STDOUT, cwd=ROOT
        )

    def finish(self) -> None:
        """Stamp what succeeded; raise a Failure with pip's last words for what did not."""
        with self.output:
            self.output.seek(0)
            output = self.output.read()
        if self.process.returncode == 0:
            stamp = self.environment.path / "stamp"
            stamp.write_text(self.environment.stamp, encoding="utf-8")
            return
        lines = [line for line in output.splitlines() if not line.startswith("WARNING: Location")]
        hint = ""
        if any(sign in output for sign in NETWORK_SIGNS):
            hint = "\nIs there a network? pip has to reach its package index once."
        raise Failure(
            f"could not install into {self.environment.path}:\n" + "\n".join(lines[-8:]) + hint
        )


def _is_foreign(environment: Environment) -> bool:
    """True when there is none yet, or it was made by another Python, or has been moved."""
    probe = "import sys; print(sys.version, sys.base_prefix, sys.prefix)"
    try:
        answer = subprocess.run(
            [environment.python, "-c", probe], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return True
    return answer != f"{sys.version} {sys.base_prefix} {environment.path}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["run"]))
