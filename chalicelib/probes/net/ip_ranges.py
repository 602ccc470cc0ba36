"""Which addresses a monitor may connect to: an own list, because `is_global` lets too much through.

Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates) and the
addresses at which clouds keep credentials.
"""

import ipaddress
from enum import Enum
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Row = tuple[int, int, int, "Scope", str]  # version, mask, network, scope, name


class Scope(Enum):
    """What an address is to a monitor."""

    PUBLIC = "public"
    PRIVATE = "private"  # allowed where private targets are
    FORBIDDEN = "forbidden"  # never allowed


# One line per network: what it is, and the network. The first that contains the address wins.
_FORBIDDEN: Final = {
    # IPv4
    "this network": "0.0.0.0/8",
    "link-local": "169.254.0.0/16",
    "an IETF protocol assignment": "192.0.0.0/24",
    "documentation (TEST-NET-1)": "192.0.2.0/24",
    "a 6to4 relay": "192.88.99.0/24",
    "benchmarking": "198.18.0.0/15",
    "documentation (TEST-NET-2)": "198.51.100.0/24",
    "documentation (TEST-NET-3)": "203.0.113.0/24",
    "documentation (MCAST-TEST-NET)": "233.252.0.0/24",
    "multicast": "224.0.0.0/4",
    "reserved": "240.0.0.0/4",
    "a cloud's metadata service (Alibaba)": "100.100.100.200/32",
    "a cloud's metadata service (Azure)": "168.63.129.16/32",
    # IPv6: everything outside 2000::/3 that is not private below is forbidden anyway; the lines
    # are here for their names.
    "unspecified": "::/128",
    "IPv4-mapped": "::ffff:0:0/96",
    "IPv4-translated (SIIT)": "::ffff:0:0:0/96",
    "NAT64": "64:ff9b::/96",
    "local-use NAT64": "64:ff9b:1::/48",
    "discard-only": "100::/64",
    "a dummy prefix": "100:0:0:1::/64",
    "Teredo": "2001::/32",
    "benchmarking (IPv6)": "2001:2::/48",
    "an IETF protocol assignment (IPv6)": "2001::/23",
    "documentation (IPv6)": "2001:db8::/32",
    "6to4": "2002::/16",
    "documentation (IPv6, long)": "3fff::/20",
    "segment routing": "5f00::/16",
    "a cloud's metadata service (AWS)": "fd00:ec2::/32",
    "a cloud's metadata service (Google)": "fd20:ce::254/128",
    "link-local (IPv6)": "fe80::/10",
    "site-local": "fec0::/10",
    "multicast (IPv6)": "ff00::/8",
}
_PRIVATE: Final = {
    "loopback": "127.0.0.0/8",
    "private (10/8)": "10.0.0.0/8",
    "private (172.16/12)": "172.16.0.0/12",
    "private (192.168/16)": "192.168.0.0/16",
    "shared (carrier-grade NAT)": "100.64.0.0/10",
    "loopback (IPv6)": "::1/128",
    "unique local": "fc00::/7",
}
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")


def _table(networks: dict[str, str], scope: Scope) -> list[_Row]:
    rows: list[_Row] = []
    for name, text in networks.items():
        network = ipaddress.ip_network(text)
        rows.append(
            (network.version, int(network.netmask), int(network.network_address), scope, name)
        )
    return rows


_TABLE: Final = _table(_FORBIDDEN, Scope.FORBIDDEN) + _table(_PRIVATE, Scope.PRIVATE)


@lru_cache(maxsize=4096)
def classify(address: Address) -> tuple[Scope, str]:
    """Return the scope of an address and, where it is not public, the name of its network."""
    value, version = int(address), address.version
    for row_version, mask, network, scope, name in _TABLE:
        if row_version == version and value & mask == network:
            return scope, name
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return Scope.FORBIDDEN, "not global unicast"
    return Scope.PUBLIC, ""


def is_loopback(address: Address) -> bool:
    """Whether the address is this machine's own loopback."""
    return address.is_loopback
