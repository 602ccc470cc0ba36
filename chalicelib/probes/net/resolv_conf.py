"""The system's name resolution files /etc/hosts and /etc/resolv.conf (hosts(5), resolv.conf(5))."""

import ipaddress
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

from chalicelib.probes.net.ip_ranges import Address

Server = tuple[str, int]
T = TypeVar("T")
_LOOPBACK: Final = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
_MAX_SERVERS: Final = 3


class SystemNames:
    """The two files, reloaded when they change. Safe to share between threads.

    Tests pass `servers` to replace those of resolv.conf.
    """

    def __init__(
        self,
        hosts: str = "/etc/hosts",
        resolv_conf: str = "/etc/resolv.conf",
        servers: Sequence[Server] | None = None,
    ) -> None:
        self._hosts = _ReloadedFile(hosts, parse_hosts)
        self._conf = _ReloadedFile(resolv_conf, ResolvConf)
        self._servers = servers

    def in_hosts(self, name: str) -> Sequence[Address]:
        """Return the addresses of a name in the hosts file; localhost always has some."""
        found = self._hosts.value().get(name, ())
        if not found and (name == "localhost" or name.endswith(".localhost")):
            return _LOOPBACK
        return found

    def servers(self) -> Sequence[Server]:
        """Return the resolvers to query, in order."""
        if self._servers is not None:
            return self._servers
        return self._conf.value().servers

    def candidates(self, name: str) -> Sequence[str]:
        """Return the full names to try for `name`, in order (search domains, ndots)."""
        conf = self._conf.value()
        searched = [f"{name}.{domain}" for domain in conf.search]
        return [name, *searched] if name.count(".") >= conf.ndots else [*searched, name]


def parse_hosts(text: str) -> dict[str, list[Address]]:
    """Return the addresses of each name in a hosts file, skipping malformed lines."""
    names: dict[str, list[Address]] = {}
    for line in text.splitlines():
        address_text, *aliases = line.partition("#")[0].split() or [""]
        try:
            address = ipaddress.ip_address(address_text)
        except ValueError:
            continue
        for alias in aliases:
            names.setdefault(alias.lower().removesuffix("."), []).append(address)
    return names


class ResolvConf:
    """A parsed resolv.conf; the default server is this machine."""

    def __init__(self, text: str) -> None:
        self.servers: list[Server] = []
        self.search: list[str] = []
        self.ndots = 1
        for line in text.splitlines():
            keyword, *values = line.split() or [""]
            self._apply(keyword, values)
        self.servers = self.servers[:_MAX_SERVERS] or [("127.0.0.1", 53)]

    def _apply(self, keyword: str, values: list[str]) -> None:
        if keyword == "nameserver" and values and _is_address(values[0]):
            self.servers.append((values[0], 53))
        elif keyword in {"search", "domain"}:
            self.search = [value.strip(".").lower() for value in values if value.strip(".")]
        elif keyword == "options":
            for value in values:
                if value.startswith("ndots:") and value[6:].isdigit():
                    self.ndots = min(int(value[6:]), 15)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class _ReloadedFile(Generic[T]):
    """A parsed file, reloaded when its time or size changes; a missing file is empty."""

    def __init__(self, path: str, parse: Callable[[str], T]) -> None:
        self._path = path
        self._parse = parse
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._value = parse("")

    def value(self) -> T:
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - half the cost of Path.stat, at every check
        except OSError:
            return self._value
        seen = (stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            with self._lock:
                text = Path(self._path).read_text(encoding="utf-8", errors="replace")
                self._value, self._seen = self._parse(text), seen
        return self._value
