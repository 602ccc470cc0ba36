"""The smoke test of a deployed stage: creates a target, waits for its first checks, deletes it.

The target is the endpoint of the stage's DynamoDB: AWS's own, so that no other site gets requests,
and not Monitum's, which cannot be checked. The check uses every part of the stage: API, queue,
worker of every region, name lookup, TLS, tables.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

from ops import stages
from ops.console import Failure
from ops.deployment import cloudformation, deploy
from ops.deployment import regions as further_regions
from ops.stages import Stage

OWNER = "00000000-0000-7000-8000-000000000001"
"""The user that owns the target: the same in every run, so that users do not accumulate."""
RESPONSE_TIMEOUT_S = 60
CHECK_TIMEOUT_S = 90
MAX_TOKENS = 1_000
TOKEN_LIFETIME_S = 600


def run(stage: Stage) -> list[dict[str, Any]]:
    """Create a target, return its first check from each region, and delete the target.

    Raises:
        Failure: a step failed.
    """
    api_url = stages.api_base(stage, cloudformation.outputs(stage)["RestAPIId"])
    _wait_for(
        lambda: _is_healthy(f"{api_url}/healthz"), RESPONSE_TIMEOUT_S, "the API does not respond"
    )
    regions = {str(stage.session().region_name), *further_regions.of(stage)}
    with _token(stage) as token:
        api = _Api(api_url, token)
        body = {
            "name": "smoke test", "kind": "http", "url": stage.client("dynamodb").meta.endpoint_url,
            "interval_s": 86_400, "timeout_s": 25, "follow_redirects": False,
            # Any response shows that checks work.
            "expect": {"status_codes": ["100-599"]},
        }  # fmt: skip
        target = api.call("POST", "/v1/targets", body)
        path = f"/v1/targets/{target['id']}"
        try:
            return _first_checks(api, path, regions)
        finally:
            api.call("DELETE", path)


def _first_checks(api: "_Api", path: str, regions: set[str]) -> list[dict[str, Any]]:
    checks: dict[str, dict[str, Any]] = {}

    def all_regions() -> bool:
        checks.update({one["region"]: one for one in api.call("GET", f"{path}/checks")["items"]})
        return regions <= set(checks)

    where = f"a new target is not checked from {', '.join(sorted(regions))}"
    _wait_for(all_regions, CHECK_TIMEOUT_S, where)
    for check in checks.values():
        if check["verdict"] != "UP":
            names = ("region", "verdict", "reason", "error", "status_code")
            details = {name: check[name] for name in names}
            raise Failure(f"smoke test: the check of a new target fails: {details}")
    return list(checks.values())


@contextmanager
def _token(stage: Stage) -> Iterator[str]:
    """A temporary token of the smoke test's user."""
    from chalicelib.access.account_repository import Accounts
    from chalicelib.access.authentication import Principal, Scope
    from chalicelib.aws.tenancy import acting_for
    from chalicelib.users import service as users_service
    from chalicelib.users.service import NewToken

    deploy.enter_runtime(stage)
    now = time.time()
    scopes = [Scope.READ, Scope.WRITE]
    caller = Principal(OWNER, "smoke test", "", "", frozenset(scopes), "")
    with acting_for(OWNER):
        Accounts(OWNER).add_user(name="smoke test", admin=False, now=int(now))
        new = NewToken("smoke test", scopes, int(now) + TOKEN_LIFETIME_S)
        token_id, _, token = users_service.create_token(caller, new, now, MAX_TOKENS)
    try:
        yield token
    finally:
        with acting_for(OWNER):
            users_service.revoke_token(OWNER, token_id)


class _Api:
    """Calls the API with a token; raises a Failure for error responses."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url, {"Authorization": f"Token {token}"}

    def call(self, method: str, path: str, body: object = None) -> Any:
        try:
            response = requests.request(
                method, self._url + path, json=body, headers=self._headers, timeout=40
            )
        except requests.RequestException as error:
            raise Failure(f"smoke test: {method} {path} has no response: {error}") from error
        if not response.ok:
            text = response.text[:500]
            raise Failure(f"smoke test: {method} {path} returned {response.status_code}: {text}")
        return response.json() if response.content else None


def _is_healthy(url: str) -> bool:
    """Whether the API responds, even if it reports that checks are late."""
    try:
        response = requests.get(url, timeout=10)
    except requests.RequestException:
        return False
    return response.status_code == 200 or (
        response.status_code == 503 and "lateness_s" in response.text
    )


def _wait_for(find: Callable[[], Any], timeout_s: float, error: str) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        if time.monotonic() > deadline:
            raise Failure(f"smoke test: {error} within {timeout_s:.0f} s")
        time.sleep(1)
    return found
