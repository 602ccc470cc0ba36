"""Requests with the headers that browsers send: which ones servers on loopback refuse."""

from typing import Any

import pytest

from ops.local import guard

PORT = 4566
OWN = f"http://127.0.0.1:{PORT}"
DASHBOARD_CALL = {"referer": f"{OWN}/", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
ADDRESS_BAR = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
LINK = {
    "referer": "https://mail.example/",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
FETCH = {
    "origin": "https://evil.example",
    "referer": "https://evil.example/",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "empty",
}
IMAGE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


def refused(headers: dict[str, Any], path: str | None = "/v1/targets", method: str = "GET") -> bool:
    given = {"host": f"127.0.0.1:{PORT}", **headers}
    return guard.refusal(method, path, {k: (v,) for k, v in given.items()}, PORT) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": f"localhost:{PORT}"},
        {"host": f"LOCALHOST:{PORT}"},
        {"host": f"[::1]:{PORT}"},
        DASHBOARD_CALL,
        {"origin": OWN, "sec-fetch-site": "same-origin"},
        {"origin": OWN},
        ADDRESS_BAR,
        # The form of a page whose policy is to send no referrer.
        {"origin": "null", "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/targets", None])
def test_programs_and_own_pages_are_accepted(headers: dict[str, str], path: str | None) -> None:
    assert not refused(headers, path, "POST")


@pytest.mark.parametrize(
    "headers",
    [
        FETCH,
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": f"http://127.0.0.1:{PORT}.evil.example"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-site"},
        {"origin": f"http://localhost:{PORT}"},
        {"referer": "https://evil.example/127.0.0.1:4566/"},
        {"referer": f"http://127.0.0.1:{PORT}@evil.example/"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        LINK,
        IMAGE,
    ],
)
@pytest.mark.parametrize("path", ["/v1/targets", "/status/shop", None])
def test_no_page_of_another_origin_can_post(headers: dict[str, str], path: str | None) -> None:
    assert refused(headers, path, "POST")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1:{PORT}@evil.example",
        f"abc.execute-api.localhost:{PORT}",
        f"bucket.localhost:{PORT}",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/status/shop", None])
def test_other_hosts_are_refused(host: str, path: str | None) -> None:
    assert refused({"host": host}, path)


def test_exactly_one_host_is_expected() -> None:
    own = f"127.0.0.1:{PORT}"

    assert guard.refusal("GET", "/", {}, PORT)
    assert guard.refusal("GET", "/", {"host": (own, "evil.example")}, PORT)
    assert guard.refusal("GET", "/", {"host": (own,)}, PORT) is None


def test_every_value_of_a_repeated_header_counts() -> None:
    headers = {"host": (f"127.0.0.1:{PORT}",), "origin": (OWN, "https://evil.example")}

    assert guard.refusal("GET", "/", headers, PORT)


def test_port_80_is_omitted_by_browsers() -> None:
    assert guard.refusal("GET", "/", {"host": ("localhost",)}, 80) is None


@pytest.mark.parametrize("path", ["/", "/v1/targets", "/status/shop", "/confirm/x", "/docs"])
def test_links_from_elsewhere_lead_to_pages(path: str) -> None:
    assert not refused(LINK, path)
    assert refused({**LINK, "sec-fetch-dest": "iframe"}, path) is (path != "/status/shop")
    assert refused(LINK, None)


@pytest.mark.parametrize(
    "path", ["/status/shop", "/status/shop.json", "/status/shop/feed", "/badge/shop/status.svg"]
)
def test_other_sites_may_embed_what_is_public(path: str) -> None:
    for headers in (IMAGE, FETCH):
        assert not refused(headers, path)
        assert not refused(headers, path, "HEAD")
        assert refused(headers, path, "OPTIONS")


@pytest.mark.parametrize("path", ["/v1/targets", "/status", "/status/a/b", "/statuses/a", "/"])
def test_nothing_else_is_public(path: str) -> None:
    assert refused(FETCH, path)
    assert refused(IMAGE, path)
