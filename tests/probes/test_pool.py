"""Many checks at once: all of them, fairly, each with its whole time, lanes as they finish."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Verdict
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.pool import ConnectLimiter, Pool, round_robin
from tests.probes.hostile import OK, Peer, answers, serving
from tests.probes.specs import spec

Lane = tuple[str, int]


def owner(key: Lane) -> str:
    return key[0]


def up(_: CheckSpec, __: float, connected: Callable[[], None]) -> CheckResult:
    connected()
    return CheckResult(Verdict.UP)


def test_every_check_has_a_result_at_its_place() -> None:
    lanes = {
        ("ann", 1): [spec(place=place) for place in range(50)],
        ("ann", 2): [],
        ("bob", 1): [spec(place=7)],
    }
    pool = Pool(8)
    results = dict(pool.check_lanes(lanes, up, owner=owner))
    pool.close()
    assert {key: sorted(found) for key, found in results.items()} == {
        ("ann", 1): list(range(50)),
        ("ann", 2): [],
        ("bob", 1): [7],
    }


def test_a_lane_is_yielded_as_soon_as_it_is_done() -> None:
    release = threading.Event()

    def check(target: CheckSpec, _: float, connected: Callable[[], None]) -> CheckResult:
        if target.place == 1:
            release.wait(5)
        return up(target, 0, connected)

    pool = Pool(4)
    found = pool.check_lanes({"slow": [spec(place=1)], "fast": [spec(place=2)]}, check, owner=str)
    assert next(found)[0] == "fast"
    release.set()
    assert next(found)[0] == "slow"
    pool.close()


def test_owners_take_turns() -> None:
    lanes = {
        ("ann", 1): [spec(place=place) for place in (1, 2, 3)],
        ("ann", 2): [spec(place=4)],
        ("bob", 1): [spec(place=5)],
        ("cay", 1): [spec(place=6), spec(place=7)],
    }
    order = [(key[0], target.place) for key, target in round_robin(lanes, owner)]
    assert order == [
        ("ann", 1),
        ("bob", 5),
        ("cay", 6),
        ("ann", 2),
        ("cay", 7),
        ("ann", 3),
        ("ann", 4),
    ]


def test_waiting_costs_no_deadline_and_places_are_kept() -> None:
    under_way, most = 0, 0
    lock = threading.Lock()

    def check(target: CheckSpec, deadline: float, connected: Callable[[], None]) -> CheckResult:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        assert deadline - time.monotonic() == pytest.approx(target.timeout_s, abs=0.1)
        connected()
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return CheckResult(Verdict.UP)

    pool = Pool(4)
    lanes = {"a": [spec(place=place, timeout_s=3) for place in range(40)]}
    results = dict(pool.check_lanes(lanes, check, owner=str))
    pool.close()
    assert (len(results["a"]), most) == (40, 4)


def test_two_calls_share_the_places() -> None:
    pool = Pool(2)
    first = pool.check_lanes({"a": [spec(place=1)]}, up, owner=str)
    second = pool.check_lanes({"b": [spec(place=2)]}, up, owner=str)
    assert [key for key, _ in second] == ["b"]
    assert [key for key, _ in first] == ["a"]
    pool.close()


def test_closing_the_generator_stops_the_remaining_checks() -> None:
    ran: list[int] = []

    def check(target: CheckSpec, _: float, connected: Callable[[], None]) -> CheckResult:
        ran.append(target.place)
        time.sleep(0.02)
        return up(target, 0, connected)

    pool = Pool(1)
    lanes = {number: [spec(place=number)] for number in range(100)}
    found = pool.check_lanes(lanes, check, owner=lambda key: key)
    next(found)
    found.close()  # type: ignore[attr-defined]
    pool.close()
    assert len(ran) < 10


def test_an_error_is_raised_where_the_results_are_awaited() -> None:
    def check(_: CheckSpec, __: float, ___: Callable[[], None]) -> CheckResult:
        raise LookupError("a bug")

    pool = Pool(1)
    with pytest.raises(LookupError, match="a bug"):
        list(pool.check_lanes({"a": [spec(), spec(place=1)]}, check, owner=str))
    pool.close()
    with pytest.raises(RuntimeError):
        list(pool.check_lanes({"a": [spec()]}, up, owner=str))


def test_closing_the_pool_ends_waiting_callers() -> None:
    release, begun = threading.Event(), threading.Event()

    def check(target: CheckSpec, _: float, connected: Callable[[], None]) -> CheckResult:
        begun.set()
        release.wait(5)
        return up(target, 0, connected)

    pool = Pool(2)
    pool._threads = ThreadPoolExecutor(1)  # two places, one thread: the second check waits
    found = pool.check_lanes({"a": [spec(), spec(place=1)]}, check, owner=str)
    waiting = threading.Timer(0.2, pool.close)
    waiting.start()
    threading.Timer(0.4, release.set).start()
    with pytest.raises(RuntimeError):
        list(found)
    waiting.join()
    assert pool._slots.acquire(blocking=False), "the place of what never began is free"


def test_the_connect_limiter_frees_slots_after_its_patience() -> None:
    limiter = ConnectLimiter(2, patience_s=0.05)
    started = time.monotonic()
    first, _ = limiter.enter(), limiter.enter()
    first()
    limiter.enter()
    assert time.monotonic() - started < 0.04
    limiter.enter()
    assert 0.03 < time.monotonic() - started < 0.5


def test_few_checks_make_their_connection_at_a_time() -> None:
    lock, most, here = threading.Lock(), [0], [0]

    def check(target: CheckSpec, _: float, connected: Callable[[], None]) -> CheckResult:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        time.sleep(0.002)
        with lock:
            here[0] -= 1
        return up(target, 0, connected)

    pool = Pool(16)
    pool._connect_limiter = ConnectLimiter(2, patience_s=9)
    found = dict(pool.check_lanes({"a": [spec(place=n) for n in range(40)]}, check, owner=str))
    pool.close()
    assert len(found["a"]) == 40
    assert most[0] <= 2


def test_hanging_targets_do_not_delay_the_others() -> None:
    with serving(Peer.wait) as dead, serving(answers(OK)) as well:
        checker = Checker(Guard(allow_private=True), pause_s=0)
        lanes = {
            "dead": [
                spec(url=f"http://127.0.0.1:{dead.port}/", place=place, timeout_s=1)
                for place in range(50)
            ],
            "well": [
                spec(url=f"http://127.0.0.1:{well.port}/", place=place) for place in range(20)
            ],
        }
        started = time.monotonic()
        order = [(key, time.monotonic() - started) for key, _ in checker.check_lanes(lanes)]
        checker.close()
    assert [key for key, _ in order] == ["well", "dead"]
    assert order[0][1] < 0.9
    assert order[1][1] < 2.0
