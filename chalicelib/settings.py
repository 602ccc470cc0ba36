"""The environment, read once: everything about a stage that the code needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A variable is missing or not what it must be; the message names it."""


def _boolean(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = env.get(name, str(default)).lower()
    if value not in ("true", "false"):
        raise SettingsError(f"{name} must be 'true' or 'false', not {value!r}")
    return value == "true"


def _number(env: Mapping[str, str], name: str, *, default: int, least: int = 1) -> int:
    value = env.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise SettingsError(f"{name} must be a whole number, {least} or more, not {value!r}")
    return int(value)


def _canaries(env: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """`CANARIES`, `host:port` with commas between; else the emulator, which is on loopback."""
    given = env.get("CANARIES", "") or env.get("AWS_ENDPOINT_URL", "").partition("://")[2]
    return tuple(_place(text.strip(" /")) for text in given.split(",") if text.strip(" /"))


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"CANARIES must be of the form host:port, not {text!r}")
    return host, int(port)


@dataclass(frozen=True, slots=True)
class Settings:
    """One stage's settings, as the template sets them in each function's environment.

    `table_prefix` stands before every table's name; the queues' URLs are empty where
    nothing is sent to them; `region` is the one this function runs in, named in every result.
    """

    stage: str
    region: str
    table_prefix: str
    checks_queue_url: str
    alerts_queue_url: str
    alerts_dead_queue_url: str
    notices_queue_url: str
    notices_dead_queue_url: str
    allow_private_targets: bool
    check_concurrency: int
    results_retention_days: int
    rollups_queue_url: str = ""
    function_name: str = ""
    hourly_retention_days: int = 400
    daily_retention_days: int = 1_827
    mail_from: str = ""
    public_url: str = ""
    canaries: tuple[tuple[str, int], ...] = ()
    flap_changes: int = 4
    flap_window_s: int = 3_600

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read `env`; raises SettingsError for a value that is missing or makes no sense."""
        prefix = env.get("TABLE_PREFIX", "")
        if not prefix:
            raise SettingsError("TABLE_PREFIX is not set: which stage's tables are meant?")
        return cls(
            stage=env.get("STAGE", "local"),
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
            table_prefix=prefix,
            checks_queue_url=env.get("CHECKS_QUEUE_URL", ""),
            alerts_queue_url=env.get("ALERTS_QUEUE_URL", ""),
            alerts_dead_queue_url=env.get("ALERTS_DEAD_QUEUE_URL", ""),
            notices_queue_url=env.get("NOTICES_QUEUE_URL", ""),
            notices_dead_queue_url=env.get("NOTICES_DEAD_QUEUE_URL", ""),
            mail_from=env.get("MAIL_FROM", ""),
            public_url=env.get("PUBLIC_URL", "").rstrip("/"),
            canaries=_canaries(env),
            flap_changes=_number(env, "FLAP_CHANGES", default=4, least=0),
            flap_window_s=_number(env, "FLAP_WINDOW_S", default=3_600),
            allow_private_targets=_boolean(env, "ALLOW_PRIVATE_TARGETS", default=False),
            check_concurrency=_number(env, "CHECK_CONCURRENCY", default=128),
            results_retention_days=_number(env, "RESULTS_RETENTION_DAYS", default=90),
            function_name=env.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            rollups_queue_url=env.get("ROLLUPS_QUEUE_URL", ""),
            hourly_retention_days=_number(env, "HOURLY_RETENTION_DAYS", default=400),
            daily_retention_days=_number(env, "DAILY_RETENTION_DAYS", default=1_827),
        )
