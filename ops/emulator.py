"""The local stack's process: ministack in an environment of its own, on loopback only."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from ops import stages
from ops.console import Failure, step

READY_WITHIN_S = 60
STOPPED_WITHIN_S = 60
# ministack forgets everything when its reset is posted to, which any page in a browser of this
# machine may do without asking. `make reset` needs no such way.
LAUNCH = """
from ministack import app

async def refuse(path, *_):
    if path == "/_ministack/reset":
        return 403, {"Content-Type": "application/json"}, b'{"reset": "make reset does that"}'

assert app._handle_admin_reset
app._handle_admin_reset = refuse
app.main()
"""
# What the process gets of the caller's environment: nothing that functions could come to rely on.
PASSED_ON = ("HOME", "LANG", "PATH", "SSL_CERT_FILE", "TZ", "USER")


def start() -> str:
    """Start the emulator unless it runs; returns its endpoint.

    Raises:
        Failure: something else has the port, or it did not come up.
    """
    port = stages.local_port()
    endpoint = f"http://127.0.0.1:{port}"
    if _running() is not None:
        if _its_port() != port:
            raise Failure(f"the local stack runs already, on port {_its_port()}: make down first")
        _wait_until_ready(endpoint)
        return endpoint
    _pid_file().unlink(missing_ok=True)
    if _taken(port):
        raise Failure(
            f"port {port} is taken by {_occupant(endpoint)}. Stop that, or choose another port: "
            f"make up MONITUM_PORT={port + 100}"
        )
    with step("starting the local stack (ministack)"):
        process = subprocess.Popen(
            [_python(), "-c", LAUNCH],
            env=_environment(port),
            cwd=stages.local_directory(),
            stdin=subprocess.DEVNULL,
            stdout=_log().open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _pid_file().write_text(f"{process.pid} {port}", encoding="utf-8")
        _wait_until_ready(endpoint, process)
    return endpoint


def stop() -> bool:
    """Ask the emulator to save its state and go, and wait for it; False when none ran."""
    pid = _running()
    if pid is None:
        _pid_file().unlink(missing_ok=True)
        return False
    with step("saving and stopping the local stack"):
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOPPED_WITHIN_S
        while _running() is not None:
            if time.monotonic() > until:
                raise Failure(f"the local stack (process {pid}) does not stop; see {_log()}")
            time.sleep(0.1)
        _pid_file().unlink(missing_ok=True)
    return True


def _environment(port: int) -> dict[str, str]:
    home = stages.local_directory()
    for name in ("state", "s3", "tmp"):
        (home / name).mkdir(parents=True, exist_ok=True)
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_REGION": stages.EMULATOR_REGION,
        "PERSIST_STATE": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "S3_PERSIST": "1",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(home / "state"),
        "TMPDIR": str(home / "tmp"),
    }


def _python() -> Path:
    return stages.ROOT / ".local" / "ministack" / "bin" / "python"


def _pid_file() -> Path:
    return stages.local_directory() / "ministack.pid"


def _log() -> Path:
    return stages.local_directory() / "ministack.log"


def _running() -> int | None:
    """The process id of our emulator; None when it is gone or another process has its number."""
    try:
        pid = int(_pid_file().read_text(encoding="utf-8").split()[0])
        command = ["ps", "-o", "stat=,command=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, ValueError, IndexError, subprocess.CalledProcessError):
        return None
    # A zombie has ended: only its parent has not looked yet.
    alive = "ministack" in found and not found.lstrip().startswith("Z")
    return pid if alive else None


def _its_port() -> int:
    return int(_pid_file().read_text(encoding="utf-8").split()[1])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _occupant(endpoint: str) -> str:
    if stages.answers(f"{endpoint}/_ministack/health"):
        return "another ministack (of another checkout?)"
    if stages.answers(f"{endpoint}/_localstack/health"):
        return "LocalStack"
    return "another program"


def _wait_until_ready(endpoint: str, process: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not stages.answers(f"{endpoint}/_ministack/ready"):
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > until:
            tail = _log().read_text(encoding="utf-8", errors="replace")[-1500:]
            raise Failure(f"the local stack did not come up; the end of {_log()}:\n{tail}")
        time.sleep(0.1)
