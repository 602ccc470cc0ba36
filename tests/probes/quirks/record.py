"""Record what curl and Chromium say of each quirk: `make record-clients`.

Needs curl and a Chromium (`CHROMIUM`, default `chromium`), which is driven through its debugging
pipe. Writes verdicts.json: for each client "shows", or why it does not show the page.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any, Final

from tests.probes.hostile import serving
from tests.probes.pki import Authority, server_context
from tests.probes.quirks import QUIRKS, Quirk

FILE: Final = Path(__file__).with_name("verdicts.json")
SHOWS: Final = "shows"
PATIENCE_S: Final = 5.0


class Chromium:
    """A headless Chromium at the other end of a pipe (--remote-debugging-pipe)."""

    def __init__(self, profile: str) -> None:
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()
        program = os.environ.get("CHROMIUM", "chromium")
        options = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-extensions"
        quiet = "--disable-background-networking --ignore-certificate-errors"
        pipes = f"--remote-debugging-pipe 3<&{read_there} 4>&{write_there}"
        command = f"exec {program} {options} {quiet} --user-data-dir={profile} {pipes}"
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            pass_fds=(read_there, write_there),
            stderr=subprocess.DEVNULL,
        )
        os.close(read_there)
        os.close(write_there)
        self._read, self._write = read_here, write_here
        self._buffer = b""
        self._id = 0
        self._failure = ""

    def close(self) -> None:
        """End the browser."""
        self._process.kill()
        self._process.wait()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol; events meanwhile are dropped."""
        self._id += 1
        message: dict[str, Any] = {"id": self._id, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self._receive(deadline)
            if answer.get("method") == "Network.loadingFailed":
                self._failure = str(answer["params"]["errorText"])
            if answer.get("id") == self._id:
                return dict(answer.get("result") or {"errorText": str(answer.get("error"))})

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            self._buffer += os.read(self._read, 1 << 20)
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    @contextmanager
    def page(self) -> Iterator[str]:
        """Yield the session of a page with no cookies."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        try:
            yield str(attached["sessionId"])
        finally:
            with suppress(TimeoutError):
                self.call("Target.disposeBrowserContext", browserContextId=context)

    def verdict(self, url: str, text: str) -> str:
        """Open a URL; return whether the page shows a text, or why not."""
        with self.page() as session:
            self.call("Network.enable", session)
            self._failure = ""
            try:
                opened = self.call("Page.navigate", session, url=url)
            except TimeoutError:
                return "timed out"
            if error := opened.get("errorText"):
                return str(error)
            content = self._wait_for_end(session)
        if text not in content:
            return self._failure or "shows something else"
        return f"{SHOWS}, then {self._failure}" if self._failure else SHOWS

    def _wait_for_end(self, session: str) -> str:
        """Wait until a page is complete or its loading failed; return its text."""
        script = "[document.readyState, document.documentElement.textContent]"
        content, deadline = "", time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = self.call("Runtime.evaluate", session, expression=script, returnByValue=True)
            # There is no document for a moment while one replaces another.
            state, content = found.get("result", {}).get("value") or ("", "")
            if state == "complete" or self._failure:
                break
            time.sleep(0.05)
        return str(content)


def curl_verdict(url: str, text: str) -> str:
    """Fetch a URL with curl; return whether it got the page, or why not."""
    options = ["--silent", "--show-error", "--location", "--compressed", "--insecure"]
    limits = ["--max-time", str(PATIENCE_S), "--max-redirs", "50"]
    done = subprocess.run(
        ["curl", *options, *limits, "--write-out", "\n%{http_code}", url],
        capture_output=True,
        check=False,
    )
    body, _, status = done.stdout.rpartition(b"\n")
    if done.returncode:
        return f"({done.returncode}) {done.stderr.decode(errors='replace').strip()[:80]}"
    bodies = body.decode("utf-8", "replace"), body.decode("latin-1")
    if text.isascii() and not any(text in one for one in bodies):
        return f"shows something else, with status {status.decode()}"
    return SHOWS


def record(names: list[str]) -> dict[str, dict[str, str]]:
    """Return the verdicts of both clients on the quirks named, all without names."""
    verdicts = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        certificate = Authority.make().issue(Path(folder) / "server.pem")
        browser = Chromium(folder + "/profile")
        try:
            for name, quirk in QUIRKS.items():
                if names and not any(part in name for part in names):
                    continue
                verdicts[name] = _both(browser, quirk, certificate)
                sys.stderr.write(f"{name}: {verdicts[name]}\n")
        finally:
            browser.close()
    return verdicts


def _both(browser: Chromium, quirk: Quirk, certificate: Path) -> dict[str, str]:
    scheme = "http" if quirk.tls is None else "https"
    behave = quirk.behaviour(server_context(certificate, quirk.tls or ()))
    verdicts = {}
    for client, ask in {"curl": curl_verdict, "chromium": browser.verdict}.items():
        with serving(behave) as server:
            url = f"{scheme}://127.0.0.1:{server.port}/"
            verdicts[client] = ask(url, quirk.shows).replace(str(server.port), "PORT")
    return verdicts


def main() -> None:
    """Record all quirks, or those whose names contain an argument, and forget deleted ones."""
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    known |= record(sys.argv[1:])
    kept = {name: known[name] for name in QUIRKS if name in known}
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
