"""From Uptime Kuma: its JSON backup (1.x), or a list of its monitors as its API shows them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Monitor:
    """One monitor on its way: `raw` is all of it, `given` what has not been taken yet."""

    imported: Imported
    about: str
    given: Given
    raw: Mapping[str, Any]

    def note(self, what: str) -> None:
        self.imported.note(self.about, what)


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
            with imported.item(_about(monitor)):
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
    name, source, about = given.text("name", "unnamed"), str(monitor.get("type")), _about(monitor)
    kind = _KINDS.get(source)
    if kind is None:
        raise Failure(f"there are no checks of the type {source!r} here")
    if given.take("upsideDown"):
        raise Failure("upside-down checks, which want a failure, do not exist here")
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
    describe = {"http": _http, "tcp": _tcp, "dns": _dns}[kind]
    target |= describe(_Monitor(imported, about, given, monitor))
    if monitor.get("retryInterval") not in {None, 0, monitor.get("interval")}:
        imported.note(about, "retryInterval is not taken over: failures are confirmed at once")
    for field, _ in given.rest():
        imported.note(about, f"{field} is not taken over")
    imported.add_target(name, target)


def _about(monitor: Mapping[str, Any]) -> str:
    return f"monitor {monitor.get('name') or 'unnamed'}"


def _tag(tag: Mapping[str, Any]) -> str:
    value = tag.get("value")
    return f"{tag.get('name')}:{value}" if value else str(tag.get("name"))


def _told(chosen: Mapping[str, Any], channels: Mapping[str, list[str]]) -> list[str]:
    return [name for key, on in chosen.items() if on for name in channels.get(str(key), [])]


def _http(one: _Monitor) -> dict[str, Any]:
    """The fields of its kind; raises Failure for what does not exist here."""
    raw, given = one.raw, one.given
    url, method = str(raw.get("url") or ""), str(raw.get("method") or "GET").upper()
    if raw.get("authMethod") not in {None, "", "basic"}:
        raise Failure(f"authentication by {raw['authMethod']!r} does not exist here")
    user, password = given.take("basic_auth_user"), given.take("basic_auth_pass")
    if raw.get("authMethod") == "basic" and user:
        scheme, _, rest = url.partition("://")
        url = f"{scheme}://{quote(str(user), safe='')}:{quote(str(password or ''), safe='')}@{rest}"
        one.imported.secrets += 1
    fields: dict[str, Any] = {
        "url": url,
        "method": None if method == "GET" else method,
        "headers": _headers(one, given.take("headers")),
        "body": given.take("body") or None,
        "follow_redirects": False if raw.get("maxredirects") == 0 else None,
        "verify_tls": False if given.take("ignoreTls") else None,
    }
    kind = _CONTENT_TYPES.get(str(raw.get("httpBodyEncoding") or "json"))
    if fields["body"] and kind and "content-type" not in map(str.lower, fields["headers"]):
        fields["headers"]["Content-Type"] = kind
    return {**fields, "expect": _expectations(one, url)}


def _headers(one: _Monitor, text: Any) -> dict[str, str]:
    """Headers, which are kept as JSON."""
    if not text:
        return {}
    try:
        headers = json.loads(text) if isinstance(text, str) else text
        found = {str(name): str(value) for name, value in headers.items()}
    except (ValueError, AttributeError):
        one.note("headers are not taken over: they are no JSON object")
        return {}
    one.imported.secrets += len(found)
    return found


def _expectations(one: _Monitor, url: str) -> dict[str, Any]:
    codes = common.status_codes(one.raw.get("accepted_statuscodes") or [])
    expect: dict[str, Any] = {} if codes in ([], ["200-299"]) else {"status_codes": codes}
    if one.given.take("expiryNotification") and url.startswith("https:"):
        expect["tls_days_left"] = _EXPIRY_DAYS
    keyword, inverted = one.given.take("keyword"), one.given.take("invertKeyword")
    if keyword and one.raw["type"] == "keyword":
        expect["body_not_contains" if inverted else "body_contains"] = str(keyword)
    path = one.given.take("jsonPath")
    if path is not None and one.raw["type"] == "json-query":
        expect["json"] = _conditions(one, str(path))
    return {name: value for name, value in expect.items() if value != []}


def _conditions(one: _Monitor, path: str) -> list[dict[str, Any]]:
    value, operator = one.raw.get("expectedValue"), str(one.raw.get("jsonPathOperator") or "==")
    condition = _condition(path, operator, value)
    if condition is None:
        one.note(f"the JSON query {path!r} {operator} {value!r} is not taken over")
        return []
    return [condition]


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


def _tcp(one: _Monitor) -> dict[str, Any]:
    return {"host": one.given.text("hostname"), "port": one.raw.get("port")}


def _dns(one: _Monitor) -> dict[str, Any]:
    record = str(one.raw.get("dns_resolve_type") or "A")
    if record not in _RECORDS:
        raise Failure(f"records of the type {record} are not looked at here")
    server, port = one.raw.get("dns_resolve_server"), one.raw.get("port")
    if server and port not in {None, 53}:
        server = f"{server}:{port}"
    return {"host": one.given.text("hostname"), "record_type": record, "resolver": server}
