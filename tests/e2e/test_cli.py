"""The installed command line on a running stack: apply, export and login."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MONITUM = Path(sys.executable).with_name("monitum")
FILE = """\
channels:
  Hook:
    kind: webhook
    url: http://127.0.0.1:9/hook
targets:
  Closed door:
    kind: tcp
    host: 127.0.0.1
    port: 9
    interval_s: 86400
    channels: [Hook]
  Locked page:
    kind: http
    url: http://probe:${PAGE_PASSWORD}@127.0.0.1:9/
    interval_s: 86400
    headers: {X-Key: '${PAGE_PASSWORD}'}
pages:
  Doors:
    slug: ${SLUG}
    sections:
      - name: Inside
        targets: [Closed door]
"""
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


def call(env: Mapping[str, str], *arguments: str, cwd: Path) -> Done:
    return subprocess.run(
        [MONITUM, *arguments],
        env={"PATH": os.environ["PATH"], **env},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def monitum(api_url: str, token: str, tmp_path: Path) -> Run:
    """Runs the command as a new user."""
    home = {"HOME": str(tmp_path), "MONITUM_URL": api_url, "PAGE_PASSWORD": "correct-horse"}
    home["SLUG"] = f"cli-{time.time_ns()}"
    admin = {**home, "MONITUM_TOKEN": token}
    created = call(admin, "users", "add", "command line", "--json", cwd=tmp_path)
    assert created.returncode == 0, created.stderr
    env = {**home, "MONITUM_TOKEN": json.loads(created.stdout)["token"]}

    def run(*arguments: str, code: int = 0) -> Done:
        done = call(env, *arguments, cwd=tmp_path)
        assert done.returncode == code, done
        assert "correct-horse" not in done.stdout + done.stderr
        return done

    return run


def test_applying_a_file_twice_changes_nothing(monitum: Run, tmp_path: Path) -> None:
    file = tmp_path / "monitum.yml"
    file.write_text(FILE, encoding="utf-8")
    monitum("plan", str(file), "--exit-code", code=10)
    first = json.loads(monitum("apply", str(file), "--yes", "--json").stdout)["steps"]
    assert [step["outcome"] for step in first] == ["created"] * 4

    def versions() -> list[tuple[str, str]]:
        lists = [monitum(noun, "ls", "--json").stdout for noun in ("targets", "channels", "pages")]
        return [(o["id"], o["updated_at"]) for text in lists for o in json.loads(text)["items"]]

    before = versions()
    second = json.loads(monitum("apply", str(file), "--yes", "--json").stdout)["steps"]
    assert [(step["name"], step["outcome"]) for step in second] == [("Locked page", "unchanged")]
    assert versions() == before

    file.write_text(monitum("export").stdout, encoding="utf-8")
    exported = monitum("apply", str(file), "--yes", "--prune")
    assert "Plan: 0 to create, 0 to change, 0 to delete, 4 unchanged." in exported.stdout

    monitum("targets", "check", "Closed door", code=10)
    file.write_text("channels: {}\ntargets: {}\npages: {}\n", encoding="utf-8")
    monitum("apply", str(file), "--yes", "--prune")
    assert json.loads(monitum("targets", "ls", "--json").stdout)["items"] == []


def test_in_the_repository_it_uses_the_local_stack_s_token(
    api_url: str, token: str, tmp_path: Path
) -> None:
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".local").mkdir()
    content = json.dumps({"api_url": api_url, "token": token})
    (tmp_path / ".local" / "stack.json").write_text(content, encoding="utf-8")
    done = call({"HOME": str(tmp_path)}, "whoami", cwd=tmp_path)
    assert done.returncode == 0, done
    assert api_url in done.stdout
    assert token not in done.stdout
