"""The process of the local stack: ministack in a separate environment, on loopback only."""

import hashlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from ops import ROOT, credentials, stages
from ops.bootstrap import MINISTACK
from ops.console import Failure, say, step
from ops.local import front, host

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
FREE_TIMEOUT_S = 3
ACCOUNT = "000000000000"
# The repository comes last on the path, behind ministack's modules.
LAUNCH = f"import sys; sys.path.append({str(ROOT)!r}); from ops.local import host; host.main()"
# The variables that the emulator inherits: none that functions could come to depend on.
INHERITED = ("HOME", "LANG", "PATH", "SSL_CERT_FILE", "TZ", "USER")


def start() -> str:
    """Start the emulator unless it is running; returns its endpoint.

    One that an older version of the code started is restarted.

    Raises:
        Failure: the port is in use, or the emulator did not start.
    """
    port = stages.local_port()
    endpoint = f"http://127.0.0.1:{port}"
    if _running() is not None:
        other, version = _started_as()
        if other != str(port):
            raise Failure(f"the local stack is already running on port {other}: make down first")
        if version == _version():
            _wait_until_ready(endpoint)
            return endpoint
        stop()
    if _pid_file().exists():
        _wait_until_free(port)
    _pid_file().unlink(missing_ok=True)
    if _is_in_use(port):
        raise Failure(
            f"port {port} is in use by {_occupant(endpoint)}. Stop it, or choose another port: "
            f"make up MONITUM_PORT={port + 100}"
        )
    with step("starting the local stack (ministack)"):
        process = subprocess.Popen(
            [_python(), "-c", LAUNCH],
            env=_environment(port),
            cwd=stages.local_directory(),
            stdin=subprocess.DEVNULL,
            stdout=_new_log(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _pid_file().write_text(f"{process.pid} {port} {_version()}", encoding="utf-8")
        _wait_until_ready(endpoint, process)
    for line in _log().read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(host.NOTICE):
            say(f"  {line}")
    return endpoint


def stop() -> bool:
    """Make the emulator save its state and exit; returns False if it was not running."""
    pid = _running()
    if pid is None:
        _pid_file().unlink(missing_ok=True)
        return False
    with step("saving and stopping the local stack"):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while _running() is not None:
            if time.monotonic() > deadline:
                raise Failure(f"the local stack (process {pid}) did not stop; see {_log()}")
            time.sleep(0.1)
        _pid_file().unlink(missing_ok=True)
    return True


def _environment(port: int) -> dict[str, str]:
    home = stages.local_directory()
    for name in ("state", "s3", "tmp"):
        (home / name).mkdir(parents=True, exist_ok=True)
        (home / name).chmod(0o700)
    credentials.ensure(home)
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": stages.EMULATOR_REGION,
        host.CREDENTIALS: str(home / credentials.FILE),
        "PERSIST_STATE": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "S3_PERSIST": "1",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(home / "state"),
        "TMPDIR": str(home / "tmp"),
    }


def _python() -> Path:
    return ROOT / ".local" / "ministack" / "bin" / "python"


def _pid_file() -> Path:
    return stages.local_directory() / "ministack.pid"


def _log() -> Path:
    return stages.local_directory() / "ministack.log"


def _new_log() -> BinaryIO:
    """An empty log that only its owner can read, because errors may contain secrets."""
    _log().unlink(missing_ok=True)
    return os.fdopen(os.open(_log(), os.O_WRONLY | os.O_CREAT, 0o600), "wb")


def _running() -> int | None:
    """The process id of the emulator; None if it has exited, or another process has that id."""
    try:
        pid = int(_pid_file().read_text(encoding="utf-8").split()[0])
        command = ["ps", "-o", "stat=,command=", "-p", str(pid)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, ValueError, IndexError, subprocess.CalledProcessError):
        return None
    # A zombie process has exited; its parent has not collected its status yet.
    alive = "ministack" in output and not output.lstrip().startswith("Z")
    return pid if alive else None


def _started_as() -> tuple[str, str]:
    """The port and the version of the running emulator. Older ones did not record their version."""
    _, port, *version = _pid_file().read_text(encoding="utf-8").split()
    return port, "".join(version)


def _version() -> str:
    """A hash of everything that runs in the emulator's process."""
    files = [MINISTACK, *(Path(host.__file__).with_name(name) for name in host.SOURCES)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _is_in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_until_free(port: int) -> None:
    """Wait for the port of an emulator that was just killed, at most some seconds."""
    deadline = time.monotonic() + FREE_TIMEOUT_S
    while _is_in_use(port) and time.monotonic() < deadline:
        time.sleep(0.1)


def _occupant(endpoint: str) -> str:
    if stages.responds(f"{endpoint}{front.READY}"):
        return "another ministack (of another checkout?)"
    if stages.responds(f"{endpoint}/_localstack/health"):
        return "LocalStack"
    return "another program"


def _wait_until_ready(endpoint: str, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not stages.responds(f"{endpoint}{front.READY}"):
        exited = process is not None and process.poll() is not None
        if exited or time.monotonic() > deadline:
            tail = _log().read_text(encoding="utf-8", errors="replace")[-1500:]
            raise Failure(f"the local stack did not start; the end of {_log()}:\n{tail}")
        time.sleep(0.1)
