"""A strict parser of URLs, hosts and endpoints, used for both validating and connecting.

Address checks can be bypassed where two parsers read the same URL differently. So there is only
this one, it refuses unusual input, and every request is built from its result. Hosts follow the
WHATWG URL standard: a host whose last label is a number is an IPv4 address, in any base.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from chalicelib.probes.errors import Blocked
from chalicelib.probes.net.ip_ranges import Address

MAX_URL: Final = 2048
MAX_LOCATION: Final = 16 * 1024  # single sign-on has redirects of several KB
_MAX_HOST_TEXT: Final = 1024
TLS_PORT: Final = 443
DNS_PORT: Final = 53
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_ESCAPE: Final = re.compile(r"[^!#$%&'()*+,/:;=?@\[\]~A-Za-z0-9._-]")
_QUERY_ESCAPE: Final = re.compile(r"[\x00-\x20\"#'<>\x7f-\U0010ffff]")
_C0_AND_SPACE: Final = "".join(map(chr, range(0x21)))
_TABS_AND_LINES: Final = str.maketrans("", "", "\t\r\n")
_DOT: Final = re.compile(r"\.|%2e", re.IGNORECASE)
_DOTS: Final = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


class BadUrl(ValueError):
    """A URL or host that Monitum does not accept; str() says why, for its author."""


@dataclass(frozen=True, slots=True)
class Host:
    """A normalized host: an address, or a lower-case ASCII name without a trailing dot."""

    name: str
    address: Address | None = None

    @property
    def in_url(self) -> str:
        return f"[{self.name}]" if ":" in self.name else self.name


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed absolute http or https URL; `target` is the path with its query."""

    scheme: str
    host: Host
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header, without the scheme's default port."""
        if self.port == _DEFAULT_PORTS[self.scheme]:
            return self.host.in_url
        return f"{self.host.in_url}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host.name, self.port

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@lru_cache(maxsize=2048)
def parse_url(text: str) -> Url:
    """Parse an absolute http or https URL; raise BadUrl."""
    if len(text) > MAX_URL:
        raise BadUrl(f"the URL is longer than {MAX_URL} characters")
    if _UNSAFE.search(text):
        raise BadUrl("the URL must not contain spaces, backslashes or control characters")
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if found is None or scheme not in _DEFAULT_PORTS:
        raise BadUrl("the URL must begin with http:// or https://")
    rest = text[found.end() :]
    if not rest.startswith("//") or rest.startswith("///"):
        raise BadUrl(f"the URL must begin with {scheme}:// and a host")
    authority, target = _split_authority(rest[2:])
    host, port = _host_and_port(authority, scheme)
    return Url(scheme, host, port, _clean_target(target))


def resolve_location(base: Url, text: str) -> Url:
    """Return the URL of a redirect from `base`; raise BadUrl.

    Follows the URL standard, as browsers do: spaces are encoded, backslashes are slashes, dots are
    resolved (https://url.spec.whatwg.org/#concept-basic-url-parser).
    """
    if len(text) > MAX_LOCATION:
        raise BadUrl(f"the URL is longer than {MAX_LOCATION} characters")
    text = text.strip(_C0_AND_SPACE).translate(_TABS_AND_LINES).partition("#")[0]
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else base.scheme
    if scheme not in _DEFAULT_PORTS:
        raise BadUrl("the URL must begin with http:// or https://")
    text, mark, query = text[found.end() if found else 0 :].partition("?")
    path = text.replace("\\", "/")
    if scheme != base.scheme or path.startswith("//"):
        authority, slash, path = path.lstrip("/").partition("/")
        host, port = _host_and_port(authority, scheme)
        return Url(scheme, host, port, _clean_path(slash + path) + _clean_query(mark + query))
    base_path, base_mark, base_query = base.target.partition("?")
    if not path:
        query = _clean_query(mark + query) if mark else base_mark + base_query
        return Url(scheme, base.host, base.port, base_path + query)
    if not path.startswith("/"):
        path = base_path.rpartition("/")[0] + "/" + path
    return Url(scheme, base.host, base.port, _clean_path(path) + _clean_query(mark + query))


def parse_host(text: str) -> Host:
    """Parse a host name or address (IPv6 with or without brackets); raise BadUrl."""
    if not text:
        raise BadUrl("the host is missing")
    if text.startswith("["):
        if not text.endswith("]"):
            raise BadUrl("the host has an opening bracket without a closing one")
        text = text[1:-1]
        if ":" not in text:
            raise BadUrl("only an IPv6 address may be in brackets")
    if ":" in text:
        return _ipv6_host(text)
    name = _ascii_name(text).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        address = _ipv4_number(labels)
        return Host(str(address), address)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("the host is not a valid name")
    return Host(name)


def endpoint(config: Mapping[str, Any]) -> tuple[Host, int]:
    """Return the `host` and `port` of a target's configuration; raise Blocked if invalid."""
    try:
        host = parse_host(str(config["host"]))
    except BadUrl as error:
        raise Blocked(str(error)) from None
    port = int(config.get("port") or TLS_PORT)
    if not 0 < port < 65536:
        raise Blocked("the port must be a number from 1 to 65535")
    return host, port


def resolver_endpoint(text: str) -> tuple[Host, int]:
    """Return the host and port of a resolver, such as `9.9.9.9` or `[::1]:5353`; raise BadUrl."""
    host, port = text, str(DNS_PORT)
    if text.count(":") == 1 or "]:" in text:
        host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise BadUrl("the resolver's port must be a number from 1 to 65535")
    return parse_host(host), int(port)


def _split_authority(rest: str) -> tuple[str, str]:
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return rest[:end], rest[end:].partition("#")[0]


def _host_and_port(authority: str, scheme: str) -> tuple[Host, int]:
    if "@" in authority:
        raise BadUrl("the URL must not contain a user name or password")
    host, port = _split_port(authority, _DEFAULT_PORTS[scheme])
    if len(host) > _MAX_HOST_TEXT:  # idna takes long for odd Unicode
        raise BadUrl("the host is not a valid name")
    return parse_host(host), port


def _split_port(authority: str, default: int) -> tuple[str, int]:
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        return authority, default
    if not port:
        return host, default
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise BadUrl("the port must be a number from 1 to 65535")
    return host, int(port)


def _clean_target(target: str) -> str:
    if not target.startswith("/"):
        target = f"/{target}"
    return _ESCAPE.sub(_percent_encode, target)


def _clean_path(path: str) -> str:
    """Return a path without dot segments, percent-encoded."""
    segments: list[str] = []
    *folders, last = path.split("/")[1:] or [""]
    for segment in folders:
        if not _DOTS.fullmatch(segment):
            segments.append(segment)
        elif _is_parent(segment):
            del segments[-1:]
    if _DOTS.fullmatch(last):
        if _is_parent(last):
            del segments[-1:]
        last = ""
    return _ESCAPE.sub(_percent_encode, "/" + "/".join([*segments, last]))


def _is_parent(dots: str) -> bool:
    return len(_DOT.findall(dots)) == 2


def _clean_query(query: str) -> str:
    return _QUERY_ESCAPE.sub(_percent_encode, query)


def _percent_encode(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _ipv6_host(text: str) -> Host:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise BadUrl("the host is not a valid IPv6 address") from None
    if address.scope_id is not None:
        raise BadUrl("an IPv6 address must not have a zone")
    return Host(str(address), address)


def _ascii_name(text: str) -> str:
    if "%" in text or _UNSAFE.search(text):
        raise BadUrl("the host is not a valid name")
    if text.isascii():
        return text.lower()
    import idna  # noqa: PLC0415 - large tables that few hosts need

    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return _width_folded(text)


def _width_folded(text: str) -> str:
    """Normalize full-width digits and dots, which idna rejects in all-numeric hosts."""
    import unicodedata  # noqa: PLC0415 - see above

    folded = unicodedata.normalize("NFKC", text).replace("\u3002", ".").lower()
    if not folded.isascii():
        raise BadUrl("the host is not a valid international name")
    return folded


def _ipv4_number(labels: list[str]) -> ipaddress.IPv4Address:
    """Parse an IPv4 address as browsers and inet_aton do: 127.1, 0x7f.1, 0177.0.0.1, 2130706433."""
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        raise BadUrl("the host is not a valid IPv4 address")
    numbers = [_number(label) for label in labels]
    *heads, last = numbers
    if any(head > 255 for head in heads) or last >= 256 ** (5 - len(numbers)):
        raise BadUrl("the host is not a valid IPv4 address")
    value = last + sum(head << (8 * (3 - place)) for place, head in enumerate(heads))
    return ipaddress.IPv4Address(value)


def _number(label: str) -> int:
    if label[:2] in {"0x", "0X"}:
        return int(label[2:] or "0", 16)
    try:
        return int(label, 8 if len(label) > 1 and label[0] == "0" else 10)
    except ValueError:
        raise BadUrl("the host is not a valid IPv4 address") from None
