"""Import from UptimeRobot: the response of `getMonitors` of its API v2.

https://uptimerobot.com/api/legacy/
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import plural
from monitum_cli.importers import channels, common
from monitum_cli.importers.common import FieldReader, ImportResult, read_json
from monitum_cli.manifest.yaml_reader import Source

_IGNORED = frozenset(
    {
        "id", "create_datetime", "type", "sub_type", "keyword_type", "keyword_case_type",
        "status", "http_auth_type", "logs", "response_times", "average_response_time",
        "all_time_uptime_ratio", "all_time_uptime_durations", "custom_uptime_ratio",
        "custom_uptime_ranges", "custom_uptime_range", "custom_down_durations", "is_group_main",
        "http_method", "ssl", "port", "post_content_type", "post_type", "timezone",
    }
)  # fmt: skip
_HTTP, _KEYWORD, _PORT = 1, 2, 4
_UNSUPPORTED_TYPES = {3: "ping", 5: "heartbeat"}
_PORTS = {1: 80, 2: 443, 3: 21, 4: 25, 5: 110, 6: 143}
_METHODS = {1: "HEAD", 2: "GET", 3: "POST", 4: "PUT", 5: "PATCH", 6: "DELETE", 7: "OPTIONS"}
_EMAIL, _WEBHOOK = 2, 5
_PAUSED = 0
_BASIC_AUTH = 1
_FORM_POST, _JSON_CONTENT = 1, 1
_KEYWORD_EXISTS, _CASE_INSENSITIVE = 1, 1


def read(source: Source, raw: bytes) -> ImportResult:
    """Convert a response, or a list of its pages; raises CliError if the file is neither."""
    content = read_json(source, raw)
    pages = content if isinstance(content, list) else [content]
    if not all(_is_page(page) for page in pages):
        expected = "the response of getMonitors of UptimeRobot's API v2"
        message = f"{source.name} has no monitors: it is not {expected}"
        raise CliError(message, ExitCode.INVALID)
    result = ImportResult()
    monitors = [monitor for page in pages for monitor in page["monitors"]]
    names = _channels(result, monitors, pages)
    for monitor in monitors:
        with result.item(f"monitor {monitor.get('friendly_name')}"):
            _add_monitor(result, monitor, names)
    total = sum(int(page.get("pagination", {}).get("total", 0)) for page in pages[:1])
    if total > len(monitors):
        missing = plural(total - len(monitors), "monitor")
        result.skip(missing, "on other pages of the response")
    return result


def _is_page(page: Any) -> bool:
    monitors = page.get("monitors") if isinstance(page, dict) else None
    return isinstance(monitors, list) and all(isinstance(one, dict) for one in monitors)


def _channels(
    result: ImportResult, monitors: list[dict[str, Any]], pages: list[dict[str, Any]]
) -> dict[str, str]:
    """Add the contacts as channels; returns the channels' names by contact ID.

    Contacts of monitors have no names; those that `getAlertContacts` lists take precedence.
    """
    listed = [contact for page in pages for contact in page.get("alert_contacts", [])]
    used = [contact for monitor in monitors for contact in monitor.get("alert_contacts") or []]
    contacts: dict[str, dict[str, Any]] = {}
    for contact in [*listed, *used]:
        if isinstance(contact, dict):
            contacts.setdefault(str(contact.get("id")), contact)
    names: dict[str, str] = {}
    for key, contact in contacts.items():
        title = str(contact.get("friendly_name") or contact.get("value") or f"contact {key}")
        built = _build_channels(contact)
        if built:
            names[key] = result.add_channel(title, built[0])
        else:
            reason = f"contact type {contact.get('type')} is not supported"
            result.skip(f"contact {title}", reason)
    return names


def _build_channels(contact: Mapping[str, Any]) -> list[channels.Channel]:
    value, type_ = str(contact.get("value") or ""), int(contact.get("type") or 0)
    if type_ == _EMAIL:
        return channels.emails(value)
    chat = channels.slack(value) or channels.discord(value)
    return chat or (channels.webhook(value) if type_ == _WEBHOOK else [])


def _add_monitor(result: ImportResult, monitor: dict[str, Any], names: Mapping[str, str]) -> None:
    reader = FieldReader(monitor, _IGNORED)
    name, type_ = reader.text("friendly_name", "unnamed"), int(monitor.get("type") or 0)
    label = f"monitor {name}"
    if type_ not in {_HTTP, _KEYWORD, _PORT}:
        described = _UNSUPPORTED_TYPES.get(type_, str(type_))
        raise CliError(f"monitor type {described} is not supported")
    interval_s = common.interval(result, label, float(reader.value("interval", 300)))
    timeout_s = float(reader.value("timeout", 0) or 10)
    contacts = [names.get(str(one.get("id"))) for one in reader.sequence("alert_contacts")]
    target: dict[str, Any] = {
        "kind": "tcp" if type_ == _PORT else "http",
        "interval_s": interval_s,
        "timeout_s": common.timeout(result, label, timeout_s, interval_s),
        "tags": common.tags([_tag(one) for one in reader.sequence("tags")]),
        "channels": list(dict.fromkeys(filter(None, contacts))),
        "enabled": False if monitor.get("status") == _PAUSED else None,
    }
    if type_ == _PORT:
        target |= _tcp(reader.text("url"), monitor)
    else:
        target |= _http(result, label, reader, monitor)
    result.note_unread(label, reader)
    result.add_target(name, target)


def _tag(tag: Any) -> str:
    return str(tag.get("name", "")) if isinstance(tag, dict) else str(tag)


def _tcp(url: str, monitor: Mapping[str, Any]) -> dict[str, Any]:
    host = urlsplit(url).hostname if "://" in url else url.partition("/")[0].partition(":")[0]
    port = _PORTS.get(int(monitor.get("sub_type") or 0))
    return {"host": host, "port": port or int(monitor.get("port") or 0)}


def _http(
    result: ImportResult, label: str, reader: FieldReader, monitor: Mapping[str, Any]
) -> dict[str, Any]:
    url = reader.text("url")
    user, password = reader.value("http_username"), reader.value("http_password")
    if user and int(monitor.get("http_auth_type") or _BASIC_AUTH) == _BASIC_AUTH:
        url = common.with_basic_auth(url, user, password)
        result.secrets += 1
    elif user:
        result.note(label, "digest authentication is not imported")
    headers = {str(key): str(value) for key, value in reader.mapping("custom_http_headers").items()}
    result.secrets += len(headers)
    method = _METHODS.get(int(monitor.get("http_method") or 2), "GET")
    body = reader.value("post_value")
    if body and int(monitor.get("post_type") or 0) == _FORM_POST:
        result.note(label, "post_value is not imported: set the encoded form as `body`")
        body = None
    if body and int(monitor.get("post_content_type") or 0) == _JSON_CONTENT:
        headers.setdefault("Content-Type", "application/json")
    return {
        "url": url,
        "method": None if method == "GET" else method,
        "headers": headers,
        "body": str(body) if body else None,
        "expect": _expectations(result, label, reader, monitor),
    }


def _expectations(
    result: ImportResult, label: str, reader: FieldReader, monitor: Mapping[str, Any]
) -> dict[str, Any]:
    codes = _up_codes(reader.value("custom_http_statuses"))
    expect: dict[str, Any] = {"status_codes": common.status_codes(codes)} if codes else {}
    keyword = reader.value("keyword_value")
    if keyword and monitor.get("type") == _KEYWORD:
        # The type says when to alert: if the keyword exists, or if it does not.
        is_inverted = int(monitor.get("keyword_type") or 2) == _KEYWORD_EXISTS
        expect["body_not_contains" if is_inverted else "body_contains"] = str(keyword)
        if int(monitor.get("keyword_case_type") or 0) == _CASE_INSENSITIVE:
            result.note(label, "the keyword is case-sensitive in Monitum")
    return expect


def _up_codes(statuses: Any) -> list[Any]:
    """Return the status codes that count as up, from `{"up": [200]}` or `404:0_200:1`."""
    if isinstance(statuses, dict):
        return list(statuses.get("up") or [])
    pairs = [pair.partition(":") for pair in str(statuses or "").split("_")]
    return [code for code, _, up in pairs if up == "1"]
