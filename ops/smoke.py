"""Tries a deployed stage the way its users use it: a target goes in, is checked, and goes again.

What is watched is the stage's own API, so that nobody else is asked, and the check goes the whole
way: API, queue, worker, network, tables.
"""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ops import cloudformation, deploy, stages
from ops.console import Failure
from ops.stages import Stage

OWNER = "00000000-0000-7000-8000-000000000001"
"""Whose target it is: one user of each stage, so that trying it leaves nothing behind."""
ANSWERS_WITHIN_S = 60
CHECKED_WITHIN_S = 90
MOST_TOKENS = 1_000
TOKEN_LASTS_S = 600
Api = Callable[[str, str, Any], Any]


def prove(stage: Stage) -> dict[str, Any]:
    """Create a target, see its first check, which is returned as the API tells it, and delete it.

    Raises:
        Failure: something does not hold.
    """
    api_url = stages.api_base(stage, cloudformation.outputs(stage)["RestAPIId"])
    _wait_for(lambda: _answers(f"{api_url}/healthz"), ANSWERS_WITHIN_S, "the API does not answer")
    with _token(stage) as token:
        api = _Api(api_url, token)
        target = api.call("POST", "/v1/targets", _target(api_url))
        path = f"/v1/targets/{target['id']}"
        try:
            return _see_a_check(api, path)
        finally:
            api.call("DELETE", path)


def _target(api_url: str) -> dict[str, Any]:
    return {
        "name": "smoke test",
        "kind": "http",
        "url": f"{api_url}/healthz",
        "interval_s": 86_400,
        "timeout_s": 25,
        # Late is an answer too: the schedule of a new stage has yet to run.
        "expect": {"status_codes": [200, 503]},
    }


def _see_a_check(api: "_Api", path: str) -> dict[str, Any]:
    def checks() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.call("GET", f"{path}/checks")["items"]
        return found

    check: dict[str, Any]
    (check, *_) = _wait_for(checks, CHECKED_WITHIN_S, "a new target is not checked")
    if check["verdict"] != "UP":
        told = {name: check[name] for name in ("verdict", "reason", "error", "status_code")}
        raise Failure(f"smoke test: the stage cannot check its own API: {told}")
    return check


@contextmanager
def _token(stage: Stage) -> Iterator[str]:
    """A token of the user that tries the stage, good for these minutes.

    The process takes over the deployed function's environment, as when a user is made.
    """
    os.environ.update(deploy.function_environment(stage))
    os.environ.update(stage.environment())
    from chalicelib.access.account_repository import Accounts
    from chalicelib.access.authentication import Principal, Scope
    from chalicelib.aws.tenancy import acting_for
    from chalicelib.runtime import Runtime
    from chalicelib.users import service as users_service
    from chalicelib.users.service import NewToken

    Runtime.from_env(os.environ)
    now = time.time()
    scopes = [Scope.READ, Scope.WRITE]
    caller = Principal(OWNER, "smoke test", "", "", frozenset(scopes), "")
    with acting_for(OWNER):
        Accounts(OWNER).add_user(name="smoke test", admin=False, now=int(now))
        new = NewToken("smoke test", scopes, int(now) + TOKEN_LASTS_S)
        token_id, _, token = users_service.create_token(caller, new, now, MOST_TOKENS)
    try:
        yield token
    finally:
        with acting_for(OWNER):
            users_service.revoke_token(OWNER, token_id)


class _Api:
    """Calls the API with a token; what it refuses is a Failure."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            told = error.read()[:500].decode(errors="replace")
            raise Failure(
                f"smoke test: {method} {path} is answered {error.code}: {told}"
            ) from error
        except OSError as error:
            raise Failure(f"smoke test: {method} {path} is not answered: {error}") from error
        return json.loads(text) if text else None


def _answers(url: str) -> bool:
    """Whether it is the API that answers, be it that it is late."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code == 503 and b"lateness_s" in error.read()
    except OSError:
        return False


def _wait_for(found: Callable[[], Any], seconds: float, otherwise: str) -> Any:
    give_up = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > give_up:
            raise Failure(f"smoke test: {otherwise} within {seconds:.0f} s")
        time.sleep(1)
    return answer
