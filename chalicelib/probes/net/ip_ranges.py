"""Which addresses a monitor may connect to; `is_global` of the standard library allows too many.

Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates) and the
addresses at which clouds keep credentials.
"""

import ipaddress
from enum import Enum
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Scope(Enum):
    """Whether a monitor may connect to an address."""

    PUBLIC = "public"
    PRIVATE = "private"  # allowed only if private targets are
    FORBIDDEN = "forbidden"  # never allowed


# Name and network; the first one that contains the address wins.
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
    # IPv6: everything outside 2000::/3 that is not private is forbidden anyway; these entries only
    # add names for error messages.
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


_NETWORKS: Final = [
    (ipaddress.ip_network(network), scope, name)
    for scope, networks in ((Scope.FORBIDDEN, _FORBIDDEN), (Scope.PRIVATE, _PRIVATE))
    for name, network in networks.items()
]


@lru_cache(maxsize=4096)
def classify(address: Address) -> tuple[Scope, str]:
    """Return the scope of an address and, unless it is public, the name of its network."""
    for network, scope, name in _NETWORKS:
        if address in network:
            return scope, name
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return Scope.FORBIDDEN, "not global unicast"
    return Scope.PUBLIC, ""
