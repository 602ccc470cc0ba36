"""Our own failures are not the targets': canaries decide where nothing at all was reached."""

import socket
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from chalicelib.common.settings import Settings, SettingsError
from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.probes.checker import Checker
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.worker.outage_guard import ConnectivityCheck
from tests.support.alerts import incidents, target
from tests.support.world import DOWN, UP, World

UNREACHED = replace(DOWN, reason=Reason.TIMEOUT, status_code=None, error="timed out")


@dataclass
class FakeConnectivityCheck:
    reached: bool
    resolves: bool = True
    asked: int = 0

    def is_online(self) -> bool:
        self.asked += 1
        return self.reached

    def can_resolve(self) -> bool:
        return self.resolves


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
        check = partial(
            ConnectivityCheck, connects=checker.is_connected, resolves=checker.can_resolve
        )
        assert check([dead, alive]).is_online()
        assert not check([dead]).is_online()
        checker.close()


def test_without_canaries_connectivity_is_assumed() -> None:
    connectivity = ConnectivityCheck([], lambda _: False, lambda _: False)
    assert connectivity.is_online()
    assert connectivity.can_resolve()


def test_a_reachable_canary_is_cached() -> None:
    now, answers = 0.0, [True, False, True]
    connectivity = ConnectivityCheck(
        [("x", 1)], lambda _: answers.pop(0), lambda _: True, lambda: now
    )
    assert connectivity.is_online()
    now = 19.0
    assert connectivity.is_online()
    now = 20.0
    assert not connectivity.is_online()
    now = 24.0
    assert not connectivity.is_online()
    now = 25.0
    assert connectivity.is_online()


def test_canaries_are_public_on_every_stage_and_configurable() -> None:
    env = {"STAGE": "local", "TABLE_PREFIX": "x-", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    local = Settings.from_env(env)
    assert local.canaries == Settings.from_env({"STAGE": "prod", "TABLE_PREFIX": "x-"}).canaries
    assert {host for host, _ in local.canaries} > {"1.1.1.1", "dns.google", "dns.quad9.net"}
    assert local.self_check == ("127.0.0.1", 4566)
    given = Settings.from_env({**env, "CANARIES": "1.1.1.1:443, one.example:80"})
    assert given.canaries == (("1.1.1.1", 443), ("one.example", 80))
    assert Settings.from_env({**env, "CANARIES": "none"}).canaries == ()
    with pytest.raises(SettingsError, match="host:port"):
        Settings.from_env({**env, "CANARIES": "nonsense"})


NO_NAME = replace(UNREACHED, reason=Reason.DNS, error="the name servers of x fail (SERVFAIL)")


def test_failed_lookups_are_unknown_if_no_canary_resolves_either(
    world: World, connectivity: FakeConnectivityCheck, caplog: pytest.LogCaptureFixture
) -> None:
    connectivity.reached, connectivity.resolves = True, False
    alice = world.user()
    shops = [target(alice, name=f"Shop {n}", url=f"https://shop{n}.example/") for n in range(10)]
    bare = target(alice, name="Address", url="https://93.184.216.34/")
    world.run(60)
    world.checker.script.update({shop["id"]: NO_NAME for shop in shops})
    world.run(60)
    world.run_alerts()
    assert incidents(alice) == []
    checks = alice.get(f"/v1/targets/{shops[0]['id']}/checks").json["items"]
    assert {check["verdict"] for check in checks[:3]} == {Verdict.UNKNOWN}
    assert checks[0]["error"] == "Monitum itself could not resolve any name"
    newest = alice.get(f"/v1/targets/{bare['id']}/checks").json["items"][0]
    assert newest["verdict"] == Verdict.UP
    told = [one for one in caplog.records if one.msg == "no name can be resolved here"]
    assert told[0].__dict__["CanariesUnreached"] == 1


def test_failed_lookups_are_down_if_a_canary_resolves(
    world: World, connectivity: FakeConnectivityCheck
) -> None:
    connectivity.reached = True
    alice = world.user()
    shop = target(alice)
    world.run(60)
    world.checker.script[shop["id"]] = NO_NAME
    world.run(20)
    world.run_alerts()
    assert len(incidents(alice)) == 1


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("http://127.0.0.1:3000/", "https://shop.example/"),
        ("http://localhost/", "http://192.168.1.20/"),
        ("http://192.168.1.20/", "https://shop.example/"),
        ("http://nas.local/", "https://93.184.216.34/"),
        ("http://[::1]/", "http://[fd00::1]/"),
    ],
)
def test_a_response_from_nearby_does_not_prove_that_the_internet_is_reachable(
    world: World, connectivity: FakeConnectivityCheck, near: str, far: str
) -> None:
    world.runtime.guard = Guard(allow_private=True)
    alice = world.user()
    target(alice, name="Near", url=near)
    shop = target(alice, name="Far", url=far)
    world.run(60)
    world.checker.script[shop["id"]] = UNREACHED
    world.run(60)
    world.run_alerts()
    assert connectivity.asked > 0
    assert incidents(alice) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/", "http://app.localhost/"])
def test_targets_on_this_machine_are_down_without_a_network(
    world: World, connectivity: FakeConnectivityCheck, url: str
) -> None:
    world.runtime.guard = Guard(allow_private=True)
    alice = world.user()
    shop = target(alice, url=url)
    world.run(60)
    world.checker.script[shop["id"]] = UNREACHED
    world.run(20)
    world.run_alerts()
    assert connectivity.asked == 0
    assert len(incidents(alice)) == 1


def test_canaries_are_resolved_by_the_resolver_of_the_checks() -> None:
    def resolve(name: str, _deadline: float) -> list[object]:
        if name == "up.example":
            return [ip_address("93.184.216.34")]
        raise CheckFailure(Reason.DNS, f"the name servers of {name} fail (SERVFAIL)")

    checker = Checker(Guard(), resolver=SimpleNamespace(resolve=resolve))
    assert checker.can_resolve(["down.example", "up.example"])
    assert not checker.can_resolve(["down.example"])
    checker.close()
