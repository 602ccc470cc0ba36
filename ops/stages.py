"""Stages (deployments), their AWS sessions, and the paths of the local stack."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from chalicelib.common.settings import API_STAGE, STAGES
from ops import ROOT, credentials
from ops.console import Failure

EMULATOR_REGION = "us-east-1"


def local_directory() -> Path:
    """The directory of the local stack's state: `MONITUM_LOCAL`, or `.local` by default."""
    return Path(os.environ.get("MONITUM_LOCAL") or ROOT / ".local").resolve()


def local_port() -> int:
    """The local stack's port, `MONITUM_PORT` or 4566."""
    text = os.environ.get("MONITUM_PORT") or "4566"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Failure(f"MONITUM_PORT must be a port number (1 to 65535), not {text!r}")
    return int(text)


@dataclass(frozen=True)
class Stage:
    """One deployment: `local` (ministack), `localstack` (any emulator), `dev` or `prod` (AWS).

    `region` names an additional region; None is the home region, which stores all data.
    """

    name: str
    endpoint_url: str | None = None
    region: str | None = None

    @property
    def name_prefix(self) -> str:
        """The prefix of the names of tables, queues and functions, without the hyphen after it."""
        return f"monitum-{self.name}"

    @property
    def stack_name(self) -> str:
        # Stacks in additional regions need other names: roles are named after the stack, and role
        # names are unique in an account, not in a region.
        return f"{self.name_prefix}-{self.region}" if self.region else self.name_prefix

    def session(self) -> boto3.Session:
        """A session with the credentials of the stage.

        These are the local stack's own, the fixed ones of other emulators or, for AWS, the user's.

        Raises:
            Failure: the local stack has not been started, or no region or no credentials are
                configured for AWS.
        """
        if self.endpoint_url:
            return boto3.Session(*self._keys(), region_name=self.region or EMULATOR_REGION)
        session = boto3.Session(region_name=self.region)
        if session.region_name is None:
            raise Failure("no AWS region: set AWS_REGION, or AWS_PROFILE to a profile with one")
        if session.get_credentials() is None:
            raise Failure("no AWS credentials: set AWS_PROFILE, or log in with `aws sso login`")
        return session

    def client(self, service: str) -> Any:
        """A client of the stage's endpoint, with timeouts for interactive use."""
        return self.session().client(
            service,
            endpoint_url=self.endpoint_url,
            config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3}),
        )

    def environment(self) -> dict[str, str]:
        """The environment variables with which a process acts on the stage."""
        region = self.session().region_name
        found = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
        if self.endpoint_url:
            key, secret = self._keys()
            found |= {
                "AWS_ENDPOINT_URL": self.endpoint_url,
                "AWS_ACCESS_KEY_ID": key,
                "AWS_SECRET_ACCESS_KEY": secret,
            }
        return found

    def _keys(self) -> tuple[str, str]:
        """The access key of an emulator and its secret."""
        return credentials.read(local_directory()) if self.name == "local" else ("test", "test")


def stage(name: str) -> Stage:
    """The stage of that name. Emulators are at AWS_ENDPOINT_URL or on the default port.

    Raises:
        Failure: there is no such stage.
    """
    if name not in STAGES:
        raise Failure(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}")
    if STAGES[name].on_aws:
        return Stage(name)
    if name == "local":
        return Stage(name, f"http://127.0.0.1:{local_port()}")
    return Stage(name, os.environ.get("AWS_ENDPOINT_URL") or f"http://127.0.0.1:{local_port()}")


def responds(url: str, timeout_s: float = 2) -> bool:
    """Whether a GET of the URL returns a 2xx status."""
    try:
        return 200 <= requests.get(url, timeout=timeout_s).status_code < 300
    except requests.RequestException:
        return False


def api_base(stage: Stage, api_id: str) -> str:
    """The API's base URL, for paths such as `/v1/me`. Its form depends on the emulator."""
    if not stage.endpoint_url:
        region = stage.session().region_name
        return f"https://{api_id}.execute-api.{region}.amazonaws.com/{API_STAGE}"
    if stage.name == "local":
        # The front of the local stack leads there.
        return stage.endpoint_url
    if responds(f"{stage.endpoint_url}/_ministack/ready"):
        return f"{stage.endpoint_url}/restapis/{api_id}/{API_STAGE}/_user_request_"
    return f"{stage.endpoint_url}/_aws/execute-api/{api_id}/{API_STAGE}"
