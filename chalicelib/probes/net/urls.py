"""One strict reading of a URL, used for what is validated and for what is connected to.

Two parsers that read one URL differently are how address checks are tricked; so there is one, it
refuses what is odd, and everything that goes out is built from its answer. Hosts follow the WHATWG
URL standard where it matters: a host whose last label is a number is an IPv4 address, in whatever
base it is written.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chalicelib.probes.net.ip_ranges import Address

MAX_URL: Final = 2048
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_ESCAPE: Final = re.compile(r"[^!#$%&'()*+,/:;=?@\[\]~A-Za-z0-9._-]")


class BadUrl(ValueError):
    """The text is no URL that Monitum uses; str() says why, in words for the one who wrote it."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host in its one spelling: an address, or a lower-case ASCII name without a final dot."""

    name: str
    address: Address | None = None

    @property
    def in_url(self) -> str:
        return f"[{self.name}]" if ":" in self.name else self.name


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http or https URL taken apart; `target` is the path with its query."""

    scheme: str
    host: Host
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header: the port only where it is not the scheme's own."""
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
    """Read an absolute URL; raise BadUrl for everything that is not plainly http(s)."""
    if len(text) > MAX_URL:
        raise BadUrl(f"the URL is longer than {MAX_URL} characters")
    if _UNSAFE.search(text):
        raise BadUrl("the URL has a space, a backslash or a control character")
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if found is None or scheme not in _DEFAULT_PORTS:
        raise BadUrl("the URL must begin with http:// or https://")
    rest = text[found.end() :]
    if not rest.startswith("//") or rest.startswith("///"):
        raise BadUrl(f"the URL must begin with {scheme}:// and a host")
    authority, target = _split_authority(rest[2:])
    if "@" in authority:
        raise BadUrl("the URL must not hold a user name or password")
    host_text, port = _split_port(authority, _DEFAULT_PORTS[scheme])
    return Url(scheme, parse_host(host_text), port, _clean_target(target))


def parse_host(text: str) -> Host:
    """Read a host name or address (IPv6 with or without brackets); raise BadUrl."""
    if not text:
        raise BadUrl("the host is missing")
    if text.startswith("["):
        if not text.endswith("]"):
            raise BadUrl("the host has a bracket too many")
        text = text[1:-1]
        if ":" not in text:
            raise BadUrl("only an IPv6 address stands in brackets")
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


def _split_authority(rest: str) -> tuple[str, str]:
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return rest[:end], rest[end:].partition("#")[0]


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


def _percent_encode(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _ipv6_host(text: str) -> Host:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise BadUrl("the host is not a valid IPv6 address") from None
    if address.scope_id is not None:
        raise BadUrl("an IPv6 address with a zone cannot be watched")
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
    """Fold full-width digits and dots, which idna refuses in a host that is all numbers."""
    import unicodedata  # noqa: PLC0415 - see above

    folded = unicodedata.normalize("NFKC", text).replace("\u3002", ".").lower()
    if not folded.isascii():
        raise BadUrl("the host is not a valid international name")
    return folded


def _ipv4_number(labels: list[str]) -> ipaddress.IPv4Address:
    """Read an IPv4 address as browsers and inet_aton do: 127.1, 0x7f.1, 0177.0.0.1, 2130706433."""
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
