"""A page of another origin attacks the running local stack from a real browser: `make browser`."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.stages import Stage
from tests.support.web_page_attacks import PLANTED, attacks

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # What a malicious name server does.
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)  # fmt: skip
PATIENCE_S = 120
PAGE = Path(__file__).with_name("attack.html")


@contextmanager
def _attacker(page: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Serve the page; yields the port, and a list to which the page's results are added."""
    results: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(page.encode())

        def do_POST(self) -> None:
            results.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, results
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _browser(url: str, profile: Path) -> Iterator[None]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, "no browser is installed; on Debian: apt install chromium"
    command = [program, *OPTIONS, f"--user-data-dir={profile}", url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture
def public_json(call: Callable[..., Any], api_url: str) -> Iterator[str]:
    """The address of a published status page's JSON."""
    slug = f"public-{time.time_ns()}"
    page = call("POST", "/v1/pages", {"name": "Public", "slug": slug, "published": True})
    yield f"{api_url}/status/{slug}.json"
    call("DELETE", f"/v1/pages/{page['id']}")


def test_a_page_of_another_origin_reads_and_changes_nothing(
    stage: Stage, api_url: str, public_json: str, tmp_path: Path
) -> None:
    marker = tmp_path / "code-was-run"
    endpoint = str(stage.endpoint_url)
    tried = attacks(endpoint, marker)
    given = {
        "endpoints": [endpoint, endpoint.replace("127.0.0.1", "evil.example")],
        "attacks": [attack._asdict() for attack in tried],
        "api": api_url,
        "public": public_json,
    }
    page = PAGE.read_text(encoding="utf-8").replace("GIVEN", json.dumps(given))

    with _attacker(page) as (port, results), _browser(f"http://evil.example:{port}/", tmp_path):
        deadline = time.monotonic() + PATIENCE_S
        while not results and time.monotonic() < deadline:
            time.sleep(0.2)

    (found,) = results
    # The page does run, and reaches the stack.
    assert found["public"] == 200
    assert found["sent"] == 2 * 2 * len(tried)
    assert found["read"] == []
    assert found["api"] == ["failed", "failed"]
    assert found["websocket"] == "failed"
    assert not marker.exists()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        stage.client("lambda").get_function(FunctionName=PLANTED)
