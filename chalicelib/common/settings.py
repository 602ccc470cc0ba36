"""The settings of a stage: the stage's defaults, overridden by environment variables.

docs/operations.md lists all variables. No setting is secret, so settings may be logged; see
docs/decisions/0070-no-stage-secrets.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from chalicelib.common.limits import NORMAL, WIDE, Limits

Address = tuple[str, int]
API_STAGE: Final = "api"
"""The stage of API Gateway, as in `.chalice/config.json`."""
_CANARIES: Final = (
    "1.1.1.1:443,8.8.8.8:443,9.9.9.9:443,one.one.one.one:443,dns.google:443,dns.quad9.net:443"
)
_AWS_SUFFIXES: Final = ("amazonaws.com", "amazonaws.com.cn", "api.aws")


class SettingsError(Exception):
    """A variable is missing or invalid; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The default settings of a stage, and whether it runs `on_aws`.

    `guards_data` turns on deletion protection and continuous backups of the tables. `alarms` is
    "none", "few" or "all"; the template shows which.
    """

    on_aws: bool = True
    guards_data: bool = False
    allow_private_targets: bool = False
    check_concurrency: int = 128
    results_retention_days: int = 90
    hourly_retention_days: int = 400
    daily_retention_days: int = 1_827
    flap_changes: int = 4
    flap_window_s: int = 3_600
    mail_from: str = ""
    canaries: str = _CANARIES
    metrics: bool = True
    alarms: str = "none"
    limits: Limits = NORMAL
    forbidden_ports: str = ""


_EMULATED: Final = Defaults(
    on_aws=False,
    allow_private_targets=True,
    results_retention_days=30,
    mail_from="monitum@local.example",
    limits=WIDE,
)
STAGES: Final[Mapping[str, Defaults]] = {
    # ministack keeps everything in memory.
    "local": replace(_EMULATED, results_retention_days=4, hourly_retention_days=45),
    "localstack": _EMULATED,
    "dev": Defaults(
        results_retention_days=14, hourly_retention_days=60, daily_retention_days=400, metrics=False
    ),
    "prod": Defaults(guards_data=True, alarms="few"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a stage, read from the environment that the template gives each function.

    `table_prefix` is the prefix of all table names. A queue's URL is empty in functions that send
    nothing to it. `region` is where this function runs and is part of every result; all data is
    stored in `home_region`. `further_regions` check targets too, and `check_quorum` regions make a
    target DOWN (None: at least half of them).
    `public_url` is where people reach the API, empty if the function does not know it.
    `endpoint_url` is that of an emulator, empty on AWS.
    `forbidden_ports` are rejected in targets; None selects the guard's default list. `own_hosts`
    are Monitum's own addresses, as "host" or "host:port", which are rejected too.
    A target is flapping if it changes more than `flap_changes` times in `flap_window_s`; 0 disables
    the detection. At most `background_runs` runs of `rollup` are started every hour.
    """

    stage: str
    region: str
    home_region: str
    table_prefix: str
    checks_queue_url: str
    alerts_queue_url: str
    alerts_dead_queue_url: str
    allow_private_targets: bool
    check_concurrency: int
    results_retention_days: int
    hourly_retention_days: int = 400
    daily_retention_days: int = 1_827
    mail_from: str = ""
    alarm_topic_arn: str = ""
    public_url: str = ""
    endpoint_url: str = ""
    canaries: tuple[Address, ...] = ()
    metrics: bool = True
    limits: Limits = NORMAL
    forbidden_ports: frozenset[int] | None = None
    own_hosts: frozenset[str] = frozenset()
    flap_changes: int = 4
    flap_window_s: int = 3_600
    further_regions: tuple[str, ...] = ()
    check_quorum: int | None = None
    background_runs: int = 1

    @property
    def self_check(self) -> Address | None:
        """The address of the synthetic target: the emulator, or else the first canary."""
        emulator = urlsplit(self.endpoint_url)
        if emulator.hostname:
            return emulator.hostname, emulator.port or (443 if emulator.scheme == "https" else 80)
        return next(iter(self.canaries), None)

    @property
    def check_regions(self) -> tuple[str, ...]:
        """The regions that check targets, the home region first."""
        return (self.home_region, *self.further_regions)

    def url_of_api(self, api_id: str) -> str:
        """The public URL of the API, by default that of API Gateway; empty if its id is unknown."""
        if self.public_url or not api_id:
            return self.public_url
        if self.stage == "local" and self.endpoint_url:
            return self.endpoint_url
        if self.endpoint_url:
            return f"{self.endpoint_url}/restapis/{api_id}/{API_STAGE}/_user_request_"
        suffix = _AWS_SUFFIXES[self.home_region.startswith("cn-")]
        return f"https://{api_id}.execute-api.{self.home_region}.{suffix}/{API_STAGE}"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings from `env`; raises SettingsError for a missing or invalid value."""
        prefix = env.get("TABLE_PREFIX", "")
        if not prefix:
            raise SettingsError("TABLE_PREFIX is required: the prefix of the table names")
        stage = env.get("STAGE", "")
        if stage not in STAGES:
            raise SettingsError(f"STAGE must be one of {', '.join(STAGES)}, not {stage!r}")
        defaults = STAGES[stage]
        region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"
        settings = cls(
            stage=stage,
            region=region,
            home_region=env.get("HOME_REGION") or region,
            further_regions=_regions(env, "CHECK_REGIONS"),
            check_quorum=_number(env, "CHECK_QUORUM", 1) if env.get("CHECK_QUORUM") else None,
            table_prefix=prefix,
            checks_queue_url=_url(env, "CHECKS_QUEUE_URL"),
            alerts_queue_url=_url(env, "ALERTS_QUEUE_URL"),
            alerts_dead_queue_url=_url(env, "ALERTS_DEAD_QUEUE_URL"),
            mail_from=_mail(env, "MAIL_FROM") or defaults.mail_from,
            alarm_topic_arn=env.get("ALARM_TOPIC_ARN", ""),
            public_url=_url(env, "PUBLIC_URL").rstrip("/"),
            endpoint_url=_url(env, "AWS_ENDPOINT_URL").rstrip("/"),
            canaries=_canaries(env, defaults.canaries),
            metrics=_boolean(env, "METRICS", default=defaults.metrics),
            forbidden_ports=_ports(env, "FORBIDDEN_PORTS", defaults.forbidden_ports),
            own_hosts=_own_hosts(env, env.get("HOME_REGION") or region),
            allow_private_targets=_boolean(
                env, "ALLOW_PRIVATE_TARGETS", default=defaults.allow_private_targets
            ),
            check_concurrency=_number(env, "CHECK_CONCURRENCY", defaults.check_concurrency),
            results_retention_days=_number(
                env, "RESULTS_RETENTION_DAYS", defaults.results_retention_days
            ),
            hourly_retention_days=_number(
                env, "HOURLY_RETENTION_DAYS", defaults.hourly_retention_days
            ),
            daily_retention_days=_number(
                env, "DAILY_RETENTION_DAYS", defaults.daily_retention_days
            ),
            limits=defaults.limits.read(partial(_number, env)),
            flap_changes=_number(env, "FLAP_CHANGES", defaults.flap_changes, minimum=0),
            flap_window_s=_number(env, "FLAP_WINDOW_S", defaults.flap_window_s),
            background_runs=_number(env, "BACKGROUND_RUNS", 1),
        )
        settings._check_retention()
        settings._check_regions()
        return replace(settings, public_url=settings.url_of_api(env.get("API_ID", "")))

    def _check_regions(self) -> None:
        regions = self.check_regions
        if len(set(regions)) < len(regions):
            raise SettingsError(f"CHECK_REGIONS repeats a region or the home region: {regions}")
        if self.check_quorum and self.check_quorum > len(regions):
            raise SettingsError(
                f"CHECK_QUORUM must be at most the number of regions, {len(regions)}"
            )

    def _check_retention(self) -> None:
        """Statistics read results, then hours, then days: coarser data must be kept longer."""
        kept = (self.results_retention_days, self.hourly_retention_days, self.daily_retention_days)
        if list(kept) != sorted(kept):
            raise SettingsError(
                "RESULTS_RETENTION_DAYS, HOURLY_RETENTION_DAYS and DAILY_RETENTION_DAYS must be in "
                f"ascending order: {kept}"
            )


def _boolean(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = (env.get(name) or str(default)).lower()
    if value not in ("true", "false"):
        raise SettingsError(f"{name} must be 'true' or 'false', not {value!r}")
    return value == "true"


def _number(env: Mapping[str, str], name: str, default: int, *, minimum: int = 1) -> int:
    value = env.get(name) or str(default)
    if not value.isdecimal() or int(value) < minimum:
        raise SettingsError(f"{name} must be a whole number of at least {minimum}, not {value!r}")
    return int(value)


def _regions(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Parse comma-separated AWS regions."""
    regions = tuple(text.strip() for text in env.get(name, "").split(",") if text.strip())
    for region in regions:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", region):
            raise SettingsError(f"{name} must be comma-separated AWS regions, not {region!r}")
    return regions


def _url(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise SettingsError(f"{name} must be an http or https URL, not {value!r}")
    return value


def _mail(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise SettingsError(f"{name} must be an email address, not {value!r}")
    return value


def _ports(env: Mapping[str, str], name: str, default: str) -> frozenset[int] | None:
    """Parse comma-separated ports or `none`; None by default."""
    value = env.get(name) or default
    if value in {"", "none"}:
        return frozenset() if value else None
    texts = [text.strip() for text in value.split(",")]
    if not all(text.isdecimal() and 0 < int(text) < 65_536 for text in texts):
        raise SettingsError(f"{name} must be comma-separated ports or 'none', not {value!r}")
    return frozenset(map(int, texts))


def _own_hosts(env: Mapping[str, str], home_region: str) -> frozenset[str]:
    """The host of PUBLIC_URL, and the hosts of the API Gateway with the id API_ID."""
    public = urlsplit(_url(env, "PUBLIC_URL").lower()).netloc
    gateway = f"{env.get('API_ID', '')}.execute-api.{home_region}".lower()
    given = {f"{gateway}.{suffix}" for suffix in _AWS_SUFFIXES} if env.get("API_ID") else set()
    return frozenset(given | {public} - {""})


def _canaries(env: Mapping[str, str], default: str) -> tuple[Address, ...]:
    """Parse comma-separated `host:port`, or `none`."""
    given = env.get("CANARIES", "") or default
    if given == "none":
        return ()
    return tuple(_address(text.strip()) for text in given.split(",") if text.strip())


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"CANARIES must have the form host:port, or be 'none', not {text!r}")
    return host, int(port)
