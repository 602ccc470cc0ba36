"""From UptimeRobot: what `getMonitors` of its API v2 answers, with what was asked for beside it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from monitum_cli.errors import Exit, Failure
from monitum_cli.importers import common, services
from monitum_cli.importers.common import Given, Imported
from monitum_cli.importers.jsontext import read_json

_HARMLESS = frozenset(
    {
        "id", "create_datetime", "type", "sub_type", "keyword_type", "keyword_case_type",
        "status", "http_auth_type", "logs", "response_times", "average_response_time",
        "all_time_uptime_ratio", "all_time_uptime_durations", "custom_uptime_ratio",
        "custom_uptime_ranges", "custom_uptime_range", "custom_down_durations", "is_group_main",
        "http_method", "ssl", "port", "post_content_type", "post_type", "timezone",
    }
)  # fmt: skip
_TYPES = {3: "ping", 5: "heartbeat"}
_PORTS = {1: 80, 2: 443, 3: 21, 4: 25, 5: 110, 6: 143}
_METHODS = {1: "HEAD", 2: "GET", 3: "POST", 4: "PUT", 5: "PATCH", 6: "DELETE", 7: "OPTIONS"}
_EMAIL, _WEBHOOK = 2, 5
_PAUSED = 0
_FORM, _JSON_BODY = 1, 1


def read(name: str, raw: bytes) -> Imported:
    """What of the answer can be taken over; raises Failure where it is none.

    Pages of the answer can be put together in a list.
    """
    content = read_json(name, raw)
    pages = content if isinstance(content, list) else [content]
    if not all(_is_page(page) for page in pages):
        raise Failure(
            f"{name} has no monitors: is it what getMonitors of UptimeRobot's API v2 answers?",
            Exit.INVALID,
        )
    imported = Imported()
    monitors = [monitor for page in pages for monitor in page["monitors"]]
    channels = _channels(imported, monitors, pages)
    for monitor in monitors:
        with imported.item(f"monitor {monitor.get('friendly_name')}"):
            _monitor(imported, monitor, channels)
    total = sum(int(page.get("pagination", {}).get("total", 0)) for page in pages[:1])
    if total > len(monitors):
        missing = total - len(monitors)
        imported.leave_out(f"{missing} monitors", "they are on other pages of the answer")
    return imported


def _is_page(page: Any) -> bool:
    monitors = page.get("monitors") if isinstance(page, dict) else None
    return isinstance(monitors, list) and all(isinstance(one, dict) for one in monitors)


def _channels(
    imported: Imported, monitors: list[dict[str, Any]], pages: list[dict[str, Any]]
) -> dict[str, str]:
    """The channels by the numbers of the contacts; names come from `getAlertContacts`, if there."""
    listed = [one for page in pages for one in page.get("alert_contacts", [])]
    used = [one for monitor in monitors for one in monitor.get("alert_contacts") or []]
    known = [one for one in [*listed, *used] if isinstance(one, dict)]
    named = {str(one.get("id")): one for one in reversed(known)}
    made: dict[str, str] = {}
    for contact in known:
        key = str(contact.get("id"))
        if key in made:
            continue
        full = {**contact, **named[key]}
        channel = _channel(full)
        title = str(full.get("friendly_name") or full.get("value") or f"contact {key}")
        if channel is None:
            imported.leave_out(f"contact {title}", f"type {full.get('type')} cannot be told here")
            made[key] = ""
        else:
            made[key] = imported.add_channel(title, channel)
    return {key: name for key, name in made.items() if name}


def _channel(contact: Mapping[str, Any]) -> dict[str, Any] | None:
    value = str(contact.get("value") or "")
    kind = int(contact.get("type") or 0)
    if kind == _EMAIL:
        return next(iter(services.emails(value)), None)
    chat = services.slack(value) or services.discord(value)
    if chat:
        return services.chat(chat)
    return services.webhook(value) if kind == _WEBHOOK else None


def _monitor(imported: Imported, monitor: dict[str, Any], channels: Mapping[str, str]) -> None:
    given = Given(monitor, _HARMLESS)
    name, kind = given.text("friendly_name", "unnamed"), int(monitor.get("type") or 0)
    about = f"monitor {name}"
    if kind not in {1, 2, 4}:
        what = _TYPES.get(kind, f"type {kind}")
        imported.leave_out(about, f"checks by {what} do not exist here")
        return
    interval_s = common.interval(imported, about, float(given.take("interval", 300)))
    wait = float(given.take("timeout", 0) or 10)
    target: dict[str, Any] = {
        "kind": "tcp" if kind == 4 else "http",
        "interval_s": interval_s,
        "timeout_s": common.timeout(imported, about, wait, interval_s),
        "tags": common.tags([_tag(one) for one in given.list("tags")]),
        "channels": _told(given.list("alert_contacts"), channels),
        "enabled": False if monitor.get("status") == _PAUSED else None,
    }
    if kind == 4:
        target |= _port(given.text("url"), monitor)
    else:
        target |= _http(imported, about, given, monitor)
    for field, _ in given.rest():
        imported.note(about, f"{field} is not taken over")
    imported.add_target(name, target)


def _tag(tag: Any) -> str:
    return str(tag.get("name", "")) if isinstance(tag, dict) else str(tag)


def _told(contacts: list[Any], channels: Mapping[str, str]) -> list[str]:
    told = [channels.get(str(one.get("id"))) for one in contacts]
    return list(dict.fromkeys(name for name in told if name))


def _port(url: str, monitor: Mapping[str, Any]) -> dict[str, Any]:
    host = urlsplit(url).hostname if "://" in url else url.partition("/")[0].partition(":")[0]
    known = _PORTS.get(int(monitor.get("sub_type") or 0))
    return {"host": host, "port": known or int(monitor.get("port") or 0)}


def _http(
    imported: Imported, about: str, given: Given, monitor: Mapping[str, Any]
) -> dict[str, Any]:
    url = given.text("url")
    user, password = given.take("http_username"), given.take("http_password", "")
    if user and int(monitor.get("http_auth_type") or 1) == 1:
        scheme, _, rest = url.partition("://")
        url = f"{scheme}://{quote(str(user), safe='')}:{quote(str(password), safe='')}@{rest}"
        imported.secrets += 1
    elif user:
        imported.note(about, "digest authentication is not taken over")
    headers = {str(name): str(value) for name, value in given.map("custom_http_headers").items()}
    imported.secrets += len(headers)
    method = _METHODS.get(int(monitor.get("http_method") or 2), "GET")
    body = given.take("post_value")
    if body and int(monitor.get("post_type") or 0) == _FORM:
        imported.note(about, "post_value is not taken over: it is a form, give it as a body")
        body = None
    if body and int(monitor.get("post_content_type") or 0) == _JSON_BODY:
        headers.setdefault("Content-Type", "application/json")
    codes = _codes_up(given.take("custom_http_statuses"))
    expect: dict[str, Any] = {"status_codes": common.status_codes(codes)} if codes else {}
    keyword = given.take("keyword_value")
    if keyword and monitor.get("type") == 2:
        # 1 alerts where the keyword is there, 2 where it is not.
        exists_is_bad = int(monitor.get("keyword_type") or 2) == 1
        expect["body_not_contains" if exists_is_bad else "body_contains"] = str(keyword)
        if int(monitor.get("keyword_case_type") or 0) == 1:
            imported.note(about, "upper and lower case of the keyword are told apart here")
    return {
        "url": url,
        "method": None if method == "GET" else method,
        "headers": headers,
        "body": str(body) if body else None,
        "expect": expect,
    }


def _codes_up(given: Any) -> list[Any]:
    """The status codes that are fine, of `{"up": [200]}` or `404:0_200:1`."""
    if isinstance(given, dict):
        return list(given.get("up") or [])
    pairs = [pair.partition(":") for pair in str(given or "").split("_")]
    return [code for code, _, up in pairs if up == "1"]
