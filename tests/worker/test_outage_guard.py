"""Our own failures are not the targets': canaries decide where nothing at all was reached."""

import socket
from dataclasses import dataclass, replace

import pytest

from chalicelib.common.settings import Settings, SettingsError
from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.worker.outage_guard import ConnectivityCheck
from tests.support.alerts import incidents, target
from tests.support.world import DOWN, UP, World

UNREACHED = replace(DOWN, reason=Reason.TIMEOUT, status_code=None, error="timed out")


@dataclass
class FakeConnectivityCheck:
    reached: bool
    asked: int = 0

    def is_online(self) -> bool:
        self.asked += 1
        return self.reached


@pytest.fixture
def connectivity(world: World) -> FakeConnectivityCheck:
    found = FakeConnectivityCheck(reached=False)
    world.runtime.__dict__["connectivity"] = found
    return found


def test_without_connectivity_nothing_is_down(
    world: World, connectivity: FakeConnectivityCheck, caplog: pytest.LogCaptureFixture
) -> None:
    alice = world.user()
    shops = [target(alice, name=f"Shop {number}") for number in range(3)]
    world.run(60)
    world.checker.script.update({shop["id"]: UNREACHED for shop in shops})
    world.run(60)
    world.run_alerts()
    assert incidents(alice) == []
    checks = alice.get(f"/v1/targets/{shops[0]['id']}/checks").json["items"]
    assert {check["verdict"] for check in checks[:3]} == {Verdict.UNKNOWN}
    assert checks[0]["error"] == "Monitum itself could not reach anything"
    told = [one for one in caplog.records if one.msg == "nothing can be reached from here"]
    assert told[0].__dict__["CanariesUnreached"] == 1


def test_if_a_canary_is_reachable_the_targets_are_down(
    world: World, connectivity: FakeConnectivityCheck
) -> None:
    connectivity.reached = True
    alice = world.user()
    shop = target(alice)
    world.run(60)
    world.checker.script[shop["id"]] = UNREACHED
    world.run(20)
    world.run_alerts()
    assert connectivity.asked > 0
    assert len(incidents(alice)) == 1


def test_a_blocked_address_is_no_evidence_of_connectivity(
    world: World, connectivity: FakeConnectivityCheck
) -> None:
    alice = world.user()
    shop, inner = target(alice), target(alice, name="Inner")
    world.run(60)
    world.checker.script[shop["id"]] = UNREACHED
    world.checker.script[inner["id"]] = replace(UNREACHED, reason=Reason.BLOCKED)
    world.run(60)
    assert connectivity.asked > 0
    assert incidents(alice) == []


@pytest.mark.parametrize("other", [UP, DOWN])
def test_one_response_from_any_target_proves_connectivity(
    world: World, connectivity: FakeConnectivityCheck, other: object
) -> None:
    alice = world.user()
    shop, cafe = target(alice), target(alice, name="Cafe")
    world.run(60)
    world.checker.script[shop["id"]] = UNREACHED
    world.checker.script[cafe["id"]] = other  # type: ignore[assignment]
    world.run(20)
    world.run_alerts()
    assert connectivity.asked == 0
    assert "Shop" in {one["target_name"] for one in incidents(alice)}


def test_canaries_are_checked_by_connections(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        checker = Checker(Guard(allow_private=True))
        alive, dead = ("127.0.0.1", server.getsockname()[1]), ("127.0.0.1", 1)
        assert ConnectivityCheck([dead, alive], checker.is_connected).is_online()
        assert not ConnectivityCheck([dead], checker.is_connected).is_online()
        checker.close()


def test_without_canaries_connectivity_is_assumed() -> None:
    assert ConnectivityCheck([], lambda _: False).is_online()


def test_a_reachable_canary_is_cached() -> None:
    now, answers = 0.0, [True, False, True]
    connectivity = ConnectivityCheck([("x", 1)], lambda _: answers.pop(0), lambda: now)
    assert connectivity.is_online()
    now = 19.0
    assert connectivity.is_online()
    now = 20.0
    assert not connectivity.is_online()
    assert connectivity.is_online()


def test_the_canary_of_an_emulator_is_its_own_address() -> None:
    env = {"STAGE": "local", "TABLE_PREFIX": "x-", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    assert Settings.from_env(env).canaries == (("127.0.0.1", 4566),)
    given = {**env, "CANARIES": "1.1.1.1:443, one.example:80"}
    assert Settings.from_env(given).canaries == (("1.1.1.1", 443), ("one.example", 80))
    with pytest.raises(SettingsError, match="host:port"):
        Settings.from_env({**env, "CANARIES": "nonsense"})
