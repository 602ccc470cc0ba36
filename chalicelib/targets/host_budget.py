"""How many checks a day a target asks of its host."""

from typing import Final

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.probes.net.urls import parse_host, parse_url, resolver_endpoint

_DAY_S: Final = 86_400


def host_checks_delta(before: CheckSpec | None, after: CheckSpec | None) -> dict[str, int]:
    """By how many checks a day hosts are asked more, where a target becomes another one."""
    hosts: dict[str, int] = {}
    for spec, sign in ((before, -1), (after, 1)):
        if spec is not None:
            name = watched_host(spec)
            hosts[name] = hosts.get(name, 0) + sign * (_DAY_S // spec.interval_s)
    return {name: more for name, more in hosts.items() if more}


def watched_host(spec: CheckSpec) -> str:
    """The host that a target's checks go to, in its one spelling."""
    config = spec.config
    if "url" in config:
        return parse_url(config["url"]).host.name
    if resolver := config.get("resolver"):
        return resolver_endpoint(resolver)[0].name
    return parse_host(config["host"]).name
