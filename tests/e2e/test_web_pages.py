"""The local stack refuses what web pages send: their requests, sent without a browser.

`make browser` sends the same requests with a real browser.
"""

from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from ops import stages
from ops.deployment import cloudformation
from ops.stages import Stage
from tests.support.web_page_attacks import PLANTED, Attack, attacks

FROM_A_PAGE = {
    "Origin": "http://evil.example",
    "Referer": "http://evil.example/",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "no-cors",
    "Content-Type": "text/plain;charset=UTF-8",
}

pytestmark = pytest.mark.usefixtures("_local_only")


@pytest.fixture
def _local_only(stage: Stage) -> None:
    assert stage.name == "local", "these tests need the stack of make up"


def send(stage: Stage, attack: Attack, headers: dict[str, str]) -> requests.Response:
    """Send the request as it is, without normalizing its path."""
    url = f"{stage.endpoint_url}{attack.path}"
    return requests.request(attack.method, url, data=attack.body, headers=headers, timeout=30)


def is_refused(response: requests.Response, *, from_elsewhere: bool) -> bool:
    """Whether the front refused the request or, if it is not from elsewhere, Monitum's API did.

    The API's only successful response to these requests is the dashboard.
    """
    if from_elsewhere or response.status_code == 403:
        return response.status_code == 403
    problem = response.headers["Content-Type"] == "application/problem+json"
    return problem or response.text.startswith("<!doctype html>")


@pytest.mark.parametrize("headers", [FROM_A_PAGE, {}, {"Host": "evil.example:4566"}])
def test_every_service_and_administrative_path_refuses_them(
    stage: Stage, tmp_path: Path, headers: dict[str, str]
) -> None:
    marker = tmp_path / "code-was-run"
    tried = attacks(str(stage.endpoint_url), marker)

    accepted = {
        attack.name: (response.status_code, response.text[:80])
        for attack in tried
        if not is_refused(response := send(stage, attack, headers), from_elsewhere=bool(headers))
        or "Access-Control-Allow-Origin" in response.headers
    }

    assert accepted == {}
    assert len(tried) > 80
    assert not marker.exists()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        stage.client("lambda").get_function(FunctionName=PLANTED)


@pytest.mark.parametrize("service", ["lambda", "dynamodb", "s3", "iam", "cloudformation"])
def test_the_well_known_credentials_are_refused_in_a_header_too(
    stage: Stage, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {
        "lambda": "list_functions",
        "dynamodb": "list_tables",
        "s3": "list_buckets",
        "iam": "list_roles",
        "cloudformation": "list_stacks",
    }
    key, secret = stage._keys()
    for keys in (("test", "test"), ("000000000000", secret), (key, "wrong" + secret)):
        monkeypatch.setattr(Stage, "_keys", lambda _, keys=keys: keys)
        # The refusal is not in the format of every service.
        with pytest.raises((ClientError, ResponseParserError)):
            getattr(stage.client(service), calls[service])()


def test_a_function_s_role_cannot_reach_the_state_files(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = cloudformation.outputs(stage)["APIHandlerArn"]
    role = stage.client("lambda").get_function(FunctionName=arn)["Configuration"]["Role"]
    session = stage.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    bucket = stage.client("s3").list_buckets()["Buckets"][0]["Name"]
    monkeypatch.setattr(Stage, "_keys", lambda _: keys)
    s3 = stage.client("s3")

    attempts: list[tuple[str, dict[str, Any]]] = [
        ("list_buckets", {}),
        ("list_objects_v2", {"Bucket": bucket}),
        ("get_object", {"Bucket": bucket, "Key": "../../credentials.json"}),
        ("get_object", {"Bucket": "state", "Key": "dynamodb.json"}),
        ("put_object", {"Bucket": bucket, "Key": "../../state/iam.json", "Body": b"{}"}),
    ]
    for name, arguments in attempts:
        with pytest.raises(ClientError) as error:
            getattr(s3, name)(**arguments)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in {403, 404}, name
    with pytest.raises(ClientError, match="AccessDenied"):
        stage.client("lambda").list_functions()


def test_its_files_are_readable_by_their_owner_only() -> None:
    home = stages.local_directory()
    for name in ("credentials.json", "stack.json", "ministack.log", "state", "s3", "tmp"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
