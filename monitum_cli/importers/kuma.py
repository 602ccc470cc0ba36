"""From Uptime Kuma: its JSON backup (1.x), or a list of its monitors as its API shows them."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from monitum_cli.errors import Exit, Failure
from monitum_cli.importers import common, kuma_channels
from monitum_cli.importers.common import Given, Imported
from monitum_cli.importers.jsontext import read_json

# What says nothing that could be lost: numbers and states of its own, how it is drawn.
_HARMLESS = frozenset(
    {
        "id", "type", "weight", "path", "pathName", "childrenIDs", "parent", "user_id",
        "forceInactive", "maintenance", "screenshot", "includeSensitiveData", "created_date",
        "dns_last_result", "validCert", "certExpiryDaysRemaining", "packetSize",
        # Of other types, where they have a value although the type is not theirs:
        "kafkaProducerSaslOptions", "mqttCheckType", "gamedigGivenPortOnly", "snmpVersion",
        "oauth_auth_method", "ping_count", "ping_numeric", "ping_per_request_timeout",
        # Looked at apart:
        "port", "dns_resolve_server", "dns_resolve_type", "url", "method", "maxredirects",
        "accepted_statuscodes", "authMethod", "jsonPathOperator", "expectedValue", "timeout",
        "retryInterval", "httpBodyEncoding",
    }
)  # fmt: skip
_CONTENT_TYPES = {
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
}
_KINDS = {"http": "http", "keyword": "http", "json-query": "http", "port": "tcp", "dns": "dns"}
_RECORDS = {"A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "CAA"}
_PATH = re.compile(r"(?:\$\.?)?((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*|\[\d+\])*)?", re.ASCII)
_EXPIRY_DAYS = 14


def read(name: str, raw: bytes) -> Imported:
    """What of a backup can be taken over; raises Failure where it is none."""
    content = read_json(name, raw)
    monitors = content.get("monitorList") if isinstance(content, dict) else content
    if isinstance(monitors, dict):
        monitors = [*monitors.values()]
    if not isinstance(monitors, list) or not all(isinstance(one, dict) for one in monitors):
        raise Failure(f"{name} has no monitorList: is it a backup of Uptime Kuma?", Exit.INVALID)
    imported = Imported()
    given = content.get("notificationList", []) if isinstance(content, dict) else []
    channels = kuma_channels.take_all(imported, given)
    groups = {one.get("id"): str(one.get("name")) for one in monitors if one.get("type") == "group"}
    for monitor in monitors:
        if monitor.get("type") != "group":
            with imported.item(f"monitor {monitor.get('name')}"):
                _monitor(imported, monitor, channels, groups)
    for part in ("proxyList", "statusPageList", "maintenanceList"):
        if isinstance(content, dict) and content.get(part):
            imported.leave_out(part, "there is nothing like it in a file")
    return imported


def _monitor(
    imported: Imported,
    monitor: Mapping[str, Any],
    channels: Mapping[str, list[str]],
    groups: Mapping[Any, str],
) -> None:
    given = Given(monitor, _HARMLESS)
    name, source = given.text("name", "unnamed"), str(monitor.get("type"))
    about = f"monitor {name}"
    kind = _KINDS.get(source)
    if kind is None:
        imported.leave_out(about, f"there are no checks of the type {source!r} here")
        return
    if given.take("upsideDown"):
        imported.leave_out(about, "upside-down checks, which want a failure, do not exist here")
        return
    interval_s = common.interval(imported, about, float(given.take("interval", 60)))
    wait = float(monitor.get("timeout") or 10)
    group = groups.get(monitor.get("parent"))
    target: dict[str, Any] = {
        "kind": kind,
        "interval_s": interval_s,
        "timeout_s": common.timeout(imported, about, wait, interval_s),
        "failure_threshold": common.failures(int(given.take("maxretries", 0)) + 1),
        "tags": common.tags([*([group] if group else []), *map(_tag, given.list("tags"))]),
        "channels": _told(given.map("notificationIDList"), channels),
        "enabled": None if given.take("active", default=True) else False,
    }
    fill = {"http": _http, "tcp": _tcp, "dns": _dns}[kind]
    problem = fill(imported, about, target, given, monitor)
    if problem:
        imported.leave_out(about, problem)
        return
    if monitor.get("retryInterval") not in {None, 0, monitor.get("interval")}:
        imported.note(about, "retryInterval is not taken over: failures are confirmed at once")
    for field, _ in given.rest():
        imported.note(about, f"{field} is not taken over")
    imported.add_target(name, target)


def _tag(tag: Mapping[str, Any]) -> str:
    value = tag.get("value")
    return f"{tag.get('name')}:{value}" if value else str(tag.get("name"))


def _told(chosen: Mapping[str, Any], channels: Mapping[str, list[str]]) -> list[str]:
    return [name for key, on in chosen.items() if on for name in channels.get(str(key), [])]


def _http(
    imported: Imported,
    about: str,
    target: dict[str, Any],
    given: Given,
    monitor: Mapping[str, Any],
) -> str | None:
    url = str(monitor.get("url") or "")
    method = str(monitor.get("method") or "GET").upper()
    if monitor.get("authMethod") not in {None, "", "basic"}:
        return f"authentication by {monitor['authMethod']!r} does not exist here"
    user, password = given.take("basic_auth_user"), given.take("basic_auth_pass")
    if monitor.get("authMethod") == "basic" and user:
        scheme, _, rest = url.partition("://")
        url = f"{scheme}://{quote(str(user), safe='')}:{quote(str(password or ''), safe='')}@{rest}"
        imported.secrets += 1
    target |= {
        "url": url,
        "method": None if method == "GET" else method,
        "headers": _headers(imported, about, given.take("headers")),
        "body": given.take("body") or None,
        "follow_redirects": False if monitor.get("maxredirects") == 0 else None,
        "verify_tls": False if given.take("ignoreTls") else None,
    }
    kind = _CONTENT_TYPES.get(str(monitor.get("httpBodyEncoding") or "json"))
    if target["body"] and kind and "content-type" not in map(str.lower, target["headers"]):
        target["headers"]["Content-Type"] = kind
    codes = common.status_codes(monitor.get("accepted_statuscodes") or [])
    expect: dict[str, Any] = {} if codes in ([], ["200-299"]) else {"status_codes": codes}
    if given.take("expiryNotification") and url.startswith("https:"):
        expect["tls_days_left"] = _EXPIRY_DAYS
    _expect_text(imported, about, expect, given, monitor)
    target["expect"] = expect
    return None


def _headers(imported: Imported, about: str, text: Any) -> dict[str, str]:
    """Headers, which are kept as JSON."""
    if not text:
        return {}
    try:
        headers = json.loads(text) if isinstance(text, str) else text
        found = {str(name): str(value) for name, value in headers.items()}
    except (ValueError, AttributeError):
        imported.note(about, "headers are not taken over: they are no JSON object")
        return {}
    imported.secrets += len(found)
    return found


def _expect_text(
    imported: Imported,
    about: str,
    expect: dict[str, Any],
    given: Given,
    monitor: Mapping[str, Any],
) -> None:
    keyword, inverted = given.take("keyword"), given.take("invertKeyword")
    if keyword and monitor["type"] == "keyword":
        expect["body_not_contains" if inverted else "body_contains"] = str(keyword)
    path = given.take("jsonPath")
    if path is None or monitor["type"] != "json-query":
        return
    value, operator = monitor.get("expectedValue"), str(monitor.get("jsonPathOperator") or "==")
    condition = _condition(str(path), operator, value)
    if condition is None:
        imported.note(about, f"the JSON query {path!r} {operator} {value!r} is not taken over")
    else:
        expect["json"] = [condition]


def _condition(path: str, operator: str, value: Any) -> dict[str, Any] | None:
    """A query of JSONata's as one of JSONPath's, where it is a plain path."""
    found = _PATH.fullmatch(path.strip())
    if found is None or value is None:
        return None
    place = f"$.{found[1]}" if found[1] else "$"
    if operator in {"==", "!="}:
        # Both sides are compared as texts.
        pattern = f"^{re.escape(str(value))}$"
        return {"path": place, "matches": pattern} if operator == "==" else None
    try:
        return {"path": place, {">": "greater", "<": "less"}[operator]: float(value)}
    except (KeyError, ValueError):
        return None


def _tcp(
    _imported: Imported,
    _about: str,
    target: dict[str, Any],
    given: Given,
    monitor: Mapping[str, Any],
) -> str | None:
    target |= {"host": given.text("hostname"), "port": monitor.get("port")}
    return None


def _dns(
    _imported: Imported,
    _about: str,
    target: dict[str, Any],
    given: Given,
    monitor: Mapping[str, Any],
) -> str | None:
    record = str(monitor.get("dns_resolve_type") or "A")
    if record not in _RECORDS:
        return f"records of the type {record} are not looked at here"
    server, port = monitor.get("dns_resolve_server"), monitor.get("port")
    if server and port not in {None, 53}:
        server = f"{server}:{port}"
    target |= {"host": given.text("hostname"), "record_type": record, "resolver": server}
    return None
