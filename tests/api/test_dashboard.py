"""The dashboard is one page that runs only its own script."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


def nobody(world: World) -> Person:
    return Person(world, "", "")


def test_dashboard_is_public_html(world: World) -> None:
    reply = nobody(world).get("/")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.text.startswith("<!doctype html>")


def test_policy_allows_only_the_inline_script_and_style(world: World) -> None:
    reply = nobody(world).get("/")
    policy = reply.headers["content-security-policy"]
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", reply.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"\son\w+=|style=|src=|href=", reply.text)


def test_urls_are_relative(world: World) -> None:
    """Relative URLs work under a stage, a custom domain or an emulator's path."""
    page = nobody(world).get("/").text
    paths = re.findall(r"[\"`](/?v1/[^\"`]*)", page)
    assert len(paths) >= 6
    assert not [path for path in paths if path.startswith("/")]


def test_addresses_that_alerts_link_to_have_a_view(world: World) -> None:
    """Alerts link to `#/targets/ID`, `#/incidents/ID`, `#/incidents` and `#/channels/ID`."""
    page = nobody(world).get("/").text
    views = re.findall(r"^  async (\w+)\(id\)", page, re.MULTILINE)
    sources = [path.read_text() for path in Path("chalicelib/alerting").rglob("*.py")]
    linked = set(re.findall(r"/#/(\w+)", "".join(sources)))
    assert linked == set(views)
