"""Everything about a stage that the code needs to know: defaults, and the environment over them.

There is one table of stages, below. A variable of the environment takes the place of a stage's
value; docs/operations.md lists them all. Nothing here is secret, and no stage has secrets of its
own: those of users lie with their owners, see docs/decisions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from chalicelib.common.limits import NORMAL, WIDE, Limits

Place = tuple[str, int]
_AWS_SUFFIXES: Final = ("amazonaws.com", "amazonaws.com.cn", "api.aws")


class SettingsError(Exception):
    """A variable is missing or not what it must be; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a stage is for: whether it runs `on_aws`, and its settings where nothing else is said.

    `guards_data`: its tables cannot be deleted and are backed up continuously. `alarms` is how many
    there are, see the template: none, few or all.
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
    canaries: str = "1.1.1.1:443,8.8.8.8:443,9.9.9.9:443"
    metrics: bool = True
    alarms: str = "none"
    limits: Limits = NORMAL
    forbidden_ports: str = ""


_EMULATED: Final = Defaults(
    on_aws=False,
    allow_private_targets=True,
    results_retention_days=30,
    mail_from="monitum@local.example",
    canaries="",
    limits=WIDE,
)
STAGES: Final[Mapping[str, Defaults]] = {
    "local": _EMULATED,
    "localstack": _EMULATED,
    "dev": Defaults(
        results_retention_days=14, hourly_retention_days=60, daily_retention_days=400, metrics=False
    ),
    "prod": Defaults(guards_data=True, alarms="few"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One stage's settings, as the template sets them in each function's environment.

    `table_prefix` stands before every table's name; the queues' URLs are empty where
    nothing is sent to them; `region` is the one this function runs in, named in every result.
    `forbidden_ports` are refused to targets; None means the guard's own list. `own_hosts` are where
    Monitum itself is reached, as "host" or "host:port".
    Everything is kept in `home_region`; `further_regions` check from there as well, and
    `check_quorum` regions make DOWN (None: at least half of them).
    A target flaps that changes more than `flap_changes` times in `flap_window_s`; 0 is never.
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
    public_url: str = ""
    canaries: tuple[Place, ...] = ()
    metrics: bool = True
    limits: Limits = NORMAL
    forbidden_ports: frozenset[int] | None = None
    own_hosts: frozenset[str] = frozenset()
    flap_changes: int = 4
    flap_window_s: int = 3_600
    further_regions: tuple[str, ...] = ()
    check_quorum: int | None = None

    @property
    def check_regions(self) -> tuple[str, ...]:
        """Where targets are checked from, the home region first."""
        return (self.home_region, *self.further_regions)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read `env`; raises SettingsError for a value that is missing or makes no sense."""
        prefix = env.get("TABLE_PREFIX", "")
        if not prefix:
            raise SettingsError("TABLE_PREFIX is not set: which stage's tables are meant?")
        stage = env.get("STAGE", "")
        if stage not in STAGES:
            raise SettingsError(f"STAGE must be one of {', '.join(STAGES)}, not {stage!r}")
        of_stage = STAGES[stage]
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
            mail_from=_mail(env, "MAIL_FROM") or of_stage.mail_from,
            public_url=_url(env, "PUBLIC_URL").rstrip("/"),
            canaries=_canaries(env, of_stage.canaries),
            forbidden_ports=_ports(env, "FORBIDDEN_PORTS", of_stage.forbidden_ports),
            own_hosts=_own_hosts(env, env.get("HOME_REGION") or region),
            allow_private_targets=_boolean(
                env, "ALLOW_PRIVATE_TARGETS", default=of_stage.allow_private_targets
            ),
            check_concurrency=_number(env, "CHECK_CONCURRENCY", of_stage.check_concurrency),
            results_retention_days=_number(
                env, "RESULTS_RETENTION_DAYS", of_stage.results_retention_days
            ),
            hourly_retention_days=_number(
                env, "HOURLY_RETENTION_DAYS", of_stage.hourly_retention_days
            ),
            daily_retention_days=_number(
                env, "DAILY_RETENTION_DAYS", of_stage.daily_retention_days
            ),
            limits=of_stage.limits.read(partial(_number, env)),
            flap_changes=_number(env, "FLAP_CHANGES", of_stage.flap_changes, least=0),
            flap_window_s=_number(env, "FLAP_WINDOW_S", of_stage.flap_window_s),
        )
        settings._check_retention()
        settings._check_regions()
        return settings

    def _check_regions(self) -> None:
        regions = self.check_regions
        if len(set(regions)) < len(regions):
            raise SettingsError(f"CHECK_REGIONS names a region twice, or home: {regions}")
        if self.check_quorum and self.check_quorum > len(regions):
            raise SettingsError(f"CHECK_QUORUM must be at most {len(regions)}, as many as regions")

    def _check_retention(self) -> None:
        """Statistics go from results to hours to days: a coarser one must not end earlier."""
        kept = (self.results_retention_days, self.hourly_retention_days, self.daily_retention_days)
        if list(kept) != sorted(kept):
            raise SettingsError(
                "RESULTS_RETENTION_DAYS, HOURLY_RETENTION_DAYS and DAILY_RETENTION_DAYS must not "
                f"fall: {kept}"
            )


def _boolean(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = (env.get(name) or str(default)).lower()
    if value not in ("true", "false"):
        raise SettingsError(f"{name} must be 'true' or 'false', not {value!r}")
    return value == "true"


def _number(env: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    value = env.get(name) or str(default)
    if not value.isdecimal() or int(value) < least:
        raise SettingsError(f"{name} must be a whole number above {least - 1}, not {value!r}")
    return int(value)


def _regions(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """AWS regions with commas between."""
    found = tuple(text.strip() for text in env.get(name, "").split(",") if text.strip())
    for region in found:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", region):
            raise SettingsError(f"{name} must be AWS regions with commas between, not {region!r}")
    return found


def _url(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise SettingsError(f"{name} must be a URL that begins with http, not {value!r}")
    return value


def _mail(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise SettingsError(f"{name} must be an e-mail address, not {value!r}")
    return value


def _ports(env: Mapping[str, str], name: str, default: str) -> frozenset[int] | None:
    """Ports with commas between, or `none`; None where nothing is said."""
    value = env.get(name) or default
    if value in {"", "none"}:
        return frozenset() if value else None
    texts = [text.strip() for text in value.split(",")]
    if not all(text.isdecimal() and 0 < int(text) < 65_536 for text in texts):
        raise SettingsError(f"{name} must be ports with commas between, or 'none', not {value!r}")
    return frozenset(map(int, texts))


def _own_hosts(env: Mapping[str, str], home_region: str) -> frozenset[str]:
    """The host of PUBLIC_URL, and those that AWS gives the API at home whose id is API_ID."""
    public = urlsplit(_url(env, "PUBLIC_URL").lower()).netloc
    gateway = f"{env.get('API_ID', '')}.execute-api.{home_region}".lower()
    given = {f"{gateway}.{suffix}" for suffix in _AWS_SUFFIXES} if env.get("API_ID") else set()
    return frozenset(given | {public} - {""})


def _canaries(env: Mapping[str, str], default: str) -> tuple[Place, ...]:
    """`CANARIES`, `host:port` with commas between; on emulators the emulator, on loopback."""
    emulator = env.get("AWS_ENDPOINT_URL", "").partition("://")[2]
    given = env.get("CANARIES", "") or default or emulator
    return tuple(_place(text.strip(" /")) for text in given.split(",") if text.strip(" /"))


def _place(text: str) -> Place:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"CANARIES must be of the form host:port, not {text!r}")
    return host, int(port)
