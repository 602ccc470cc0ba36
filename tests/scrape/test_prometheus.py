"""A real Prometheus scrapes the stack that runs: `make scrape` needs Prometheus and promtool."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

_TAGS = ["e2e-scrape", "team:web"]


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed; on Debian: apt install prometheus"
    return found


@pytest.fixture
def api(api_url: str, token: str) -> Callable[..., Any]:
    def call(method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Token {token}"}
        answer = requests.request(method, api_url + path, json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer

    return call


@pytest.fixture
def target(api: Callable[..., Any], api_url: str) -> Iterator[dict[str, Any]]:
    """A target that has been checked: the stack itself."""
    body = {
        "name": 'scraped "site"',
        "kind": "http",
        "url": f"{api_url}/healthz",
        "expect": {"status_codes": [200, 503]},
        "tags": _TAGS,
    }
    made = api("POST", "/v1/targets", body).json()
    api("POST", f"/v1/targets/{made['id']}/check")
    wait_for(lambda: api("GET", f"/v1/targets/{made['id']}").json()["state"]["status"] == "UP")
    yield made
    api("DELETE", f"/v1/targets/{made['id']}")


@pytest.fixture
def prometheus(tmp_path: Path, api_url: str, token: str) -> Iterator[str]:
    """A Prometheus that scrapes the stack each second; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = urlsplit(api_url)
    job = {
        "job_name": "monitum",
        "scrape_interval": "2s",
        "scrape_timeout": "2s",
        "scheme": where.scheme,
        "metrics_path": f"{where.path}/v1/metrics",
        "authorization": {"type": "Token", "credentials": token},
        "static_configs": [{"targets": [where.netloc]}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))
    process = subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def wait_for(found: Callable[[], Any], seconds: float = 60) -> Any:
    give_up = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.5)
    return answer


def query(prometheus: str, text: str) -> list[dict[str, Any]]:
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': text})}"
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
        return found
    return []


def test_promtool_finds_nothing_to_say(api: Callable[..., Any], target: dict[str, Any]) -> None:
    text = api("GET", "/v1/metrics").content
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_prometheus_scrapes_it(prometheus: str, target: dict[str, Any]) -> None:
    chosen = f'{{target_id="{target["id"]}"}}'
    (up,) = wait_for(lambda: query(prometheus, f"monitum_target_up{chosen}"))
    assert up["value"][1] == "1"
    labels = {"name": 'scraped "site"', "kind": "http", "tag_e2e_scrape": "1", "tag_team": "web"}
    assert labels.items() <= up["metric"].items()
    (age,) = query(prometheus, f"time() - monitum_target_last_check_timestamp_seconds{chosen}")
    assert 0 <= float(age["value"][1]) < 300
