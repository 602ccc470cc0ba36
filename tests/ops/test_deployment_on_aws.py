"""The commands of a deployment, from the first to the last, with the values that AWS gives."""

import copy
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.common.settings import STAGES
from ops import __main__ as ops
from ops.deployment.functions import schedule_event
from ops.packaging import package
from ops.packaging.package import Package
from tests.probes.hostile import answers, response, serving, with_tls
from tests.probes.pki import Authority
from tests.support.aws_account import BROKEN, Account, account_in

HOME, FURTHER = "eu-central-1", "eu-west-1"
ON_AWS = [name for name, defaults in STAGES.items() if defaults.on_aws]


@cache
def template(stage: str) -> dict[str, Any]:
    return package.template(stage)


@dataclass
class Operator:
    """Somebody who runs commands at a terminal; `code` is what the next deployment packages."""

    account: Account
    stage: str
    package: Package
    capture: pytest.CaptureFixture[str]

    def runs(self, command: str, *options: str) -> str:
        """The output of a command that succeeds."""
        code, output = self._run(command, *options)
        assert code == 0, output
        return output

    def fails(self, command: str, *options: str) -> str:
        """The output of a command that fails."""
        code, output = self._run(command, *options)
        assert code == 1, output
        return output

    def has(self, code: bytes, **changes: Any) -> None:
        """Change the code that the next deployment packages, or the template."""
        directory = self.package.directory
        found = {**template(self.stage), **changes}
        (directory / "template.json").write_text(json.dumps(found))
        (directory / "deployment.zip").write_bytes(code)
        (directory / "digest").write_text(f"digest of {code!r}")

    def creates_user(self) -> str:
        """The token of a new admin."""
        return self.runs("user", "--name", "me", "--admin", "--quiet").splitlines()[-1]

    def api(self, method: str, path: str, token: str = "", *, status: int = 200) -> Any:
        """The answer of the deployed API."""
        (stack,) = self.account.cloudformation(HOME).stacks.values()
        url = f"https://{stack.outputs['RestAPIId']}.execute-api.{HOME}.amazonaws.com/api{path}"
        response = self.account.call(method, url, headers={"Authorization": f"Token {token}"})
        assert response.status_code == status, response.text
        return response.json()

    @property
    def deployed(self) -> set[bytes]:
        """The code of the functions that are deployed, in all regions."""
        return {function.code for function in self.account.functions.values()}

    @property
    def regions(self) -> set[str]:
        """The regions with functions."""
        return {region for region, _ in self.account.functions}

    def tables(self, region: str = HOME) -> list[str]:
        return self.account.tables[region].names

    def _run(self, command: str, *options: str) -> tuple[int, str]:
        self.capture.readouterr()
        code = ops.main([command, "--stage", self.stage, *options])
        printed = self.capture.readouterr()
        assert self.account.faults == []
        return code, printed.out + printed.err


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate of the servers of AWS, and the file of the authority that issued it."""
    authority, directory = Authority.make(), tmp_path_factory.mktemp("tls")
    names = [f"*.{service}{HOME}.amazonaws.com" for service in ("", "execute-api.")]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue(directory / "server.pem", names))
    (directory / "ca.pem").write_bytes(authority.pem())
    return context, directory / "ca.pem"


@pytest.fixture
def account(tls: tuple[ssl.SSLContext, Path], request: pytest.FixtureRequest) -> Iterator[Account]:
    context, ca_file = tls
    stage = getattr(request, "param", "prod")
    with (
        serving(with_tls(context, answers(response()))) as server,
        mock_aws(),
        account_in(HOME, str(ca_file), server.port, stage=stage) as made,
    ):
        yield made


@pytest.fixture
def operator(
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Operator:
    built = Package(tmp_path)
    monkeypatch.setattr(package, "build_in_subprocess", lambda _stage: built)
    made = Operator(account, account.stage, built, capsys)
    made.has(b"version 1")
    return made


on_every_stage = pytest.mark.parametrize("account", ON_AWS, indirect=True)


@on_every_stage
def test_the_first_deployment_passes_its_smoke_test(operator: Operator) -> None:
    output = operator.runs("deploy")

    assert "execute-api.eu-central-1.amazonaws.com/api" in output
    assert "warning: no email is sent until you verify a sender" in output


def test_users_targets_and_health_work_on_the_deployed_stage(operator: Operator) -> None:
    operator.runs("deploy")

    token = operator.creates_user()
    operator.account.functions[HOME, "monitum-prod-tick"].invoke(schedule_event())
    operator.account.sleep(1)

    api = operator.api
    assert api("GET", "/v1/me", token)["name"] == "me"
    health = api("GET", "/healthz")
    assert (health["status"], health["lateness_s"]) == ("ok", 0)


def test_the_next_deployment_changes_what_is_there(operator: Operator) -> None:
    operator.runs("deploy")
    token = operator.creates_user()
    operator.has(b"version 2")

    output = operator.runs("deploy")

    assert "~ Check (AWS::Lambda::Function)" in output
    assert "IS REPLACED" not in output
    assert "UsersTable" not in output
    assert operator.api("GET", "/v1/me", token)["name"] == "me"
    assert "no changes" in operator.runs("deploy"), "and nothing if nothing is new"


def test_a_version_that_cloudformation_refuses_leaves_the_old_one(operator: Operator) -> None:
    operator.runs("deploy")
    operator.has(b"version 2")
    operator.account.cloudformation(HOME).failing = {"Alert": "the role cannot be assumed"}

    output = operator.fails("deploy")

    assert "Alert: the role cannot be assumed" in output
    assert "rolled back to the previous version" in output
    assert operator.deployed == {b"version 1"}
    operator.account.cloudformation(HOME).failing = {}
    operator.runs("deploy")
    assert operator.deployed == {b"version 2"}


def test_what_holds_data_is_replaced_only_if_it_is_named(operator: Operator) -> None:
    operator.runs("deploy")
    resources = copy.deepcopy(template("prod")["Resources"])
    resources["AlertsDeadQueue"]["Properties"]["QueueName"]["Fn::Sub"] += "-2"
    operator.has(b"version 2", Resources=resources)

    output = operator.fails("deploy")

    assert "~ AlertsDeadQueue (AWS::SQS::Queue)  IS REPLACED" in output
    assert "REPLACE='AlertsDeadQueue'" in output
    assert operator.deployed == {b"version 1"}
    operator.runs("deploy", "--replace", "AlertsDeadQueue")
    assert operator.deployed == {b"version 2"}


def test_a_version_that_fails_its_smoke_test_is_rolled_back(operator: Operator) -> None:
    operator.runs("deploy")
    operator.has(BROKEN)

    output = operator.fails("deploy")

    assert "the API does not respond" in output
    assert "rolled back to the previous version" in output
    assert operator.deployed == {b"version 1"}
    operator.runs("smoke")


def test_tables_of_a_first_deployment_that_failed_are_taken_over(operator: Operator) -> None:
    operator.has(BROKEN)
    assert "first deployment of monitum-prod, so it was deleted" in operator.fails("deploy")
    assert operator.account.functions == {}
    operator.has(b"version 1")

    output = operator.runs("deploy")

    assert "< UsersTable (AWS::DynamoDB::Table)" in output


def test_a_stack_that_cannot_be_created_is_replaced_by_the_next_deployment(
    operator: Operator,
) -> None:
    """Its tables are protected, so CloudFormation cannot delete them: the rollback fails, too."""
    cloudformation = operator.account.cloudformation(HOME)
    cloudformation.failing = {"Dashboard": "too large", "APIHandler": "no concurrency left"}
    output = operator.fails("deploy")
    assert "APIHandler: no concurrency left" in output
    assert cloudformation.stacks["monitum-prod"].status == "ROLLBACK_FAILED"
    cloudformation.failing = {}

    output = operator.runs("deploy")

    assert "deleting its remains" in output
    assert "< UsersTable (AWS::DynamoDB::Table)" in output


def test_a_destroyed_stage_keeps_its_users_for_the_next_deployment(operator: Operator) -> None:
    operator.runs("deploy")
    token = operator.creates_user()

    operator.runs("destroy", "--yes")
    assert operator.account.functions == {}
    plan = operator.runs("plan")
    operator.runs("deploy")

    assert "< TargetsTable (AWS::DynamoDB::Table)" in plan
    assert operator.api("GET", "/v1/me", token)["name"] == "me"
    operator.runs("destroy", "--yes", "--data")
    assert operator.tables() == []
    operator.runs("deploy")
    assert operator.api("GET", "/v1/me", token, status=401)


def test_further_regions_check_too(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECK_REGIONS", FURTHER)
    monkeypatch.setenv("CHECK_QUORUM", "2")

    operator.runs("deploy")

    assert operator.regions == {HOME, FURTHER}
    assert operator.tables(FURTHER) == []
    operator.has(b"version 2")
    operator.runs("deploy")
    assert operator.deployed == {b"version 2"}
    monkeypatch.setenv("CHECK_REGIONS", "")
    monkeypatch.setenv("CHECK_QUORUM", "")
    operator.runs("deploy")
    assert operator.regions == {HOME}


def test_a_further_region_that_fails_is_removed_and_home_never_sends_there(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.runs("deploy")
    monkeypatch.setenv("CHECK_REGIONS", FURTHER)
    operator.account.cloudformation(FURTHER).failing = {"Check": "the region is not enabled"}

    output = operator.fails("deploy")

    assert "Check: the region is not enabled" in output
    check = operator.account.functions[HOME, "monitum-prod-check"]
    assert check.environment["CHECK_REGIONS"] == ""
    operator.account.cloudformation(FURTHER).failing = {}
    operator.runs("deploy")
    assert operator.regions == {HOME, FURTHER}


def test_a_further_region_whose_worker_fails_is_rolled_back_with_home(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.runs("deploy")
    monkeypatch.setenv("CHECK_REGIONS", FURTHER)
    operator.account.broken_regions = {FURTHER}

    output = operator.fails("deploy")

    assert "not checked from eu-central-1, eu-west-1" in output
    assert operator.regions == {HOME}
    assert operator.deployed == {b"version 1"}
