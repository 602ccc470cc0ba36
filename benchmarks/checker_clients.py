"""The clients that the checker is measured against, each at its best: run one, count its CPU."""

import asyncio
import importlib
import resource
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard

CONCURRENCY: Final = 128
TIMEOUT_S: Final = 20


@dataclass(frozen=True)
class Measured:
    """One run: CPU of the client, wall time, and the response times it reported (all seconds)."""

    cpu_s: float
    wall_s: float
    response_s: Sequence[float]


Client = Callable[[str, int, str], Sequence[float]]


def naive_requests(url: str, count: int, ca_file: str) -> Sequence[float]:
    """`requests.get` in threads, as most code has it."""

    def one(_: int) -> float:
        response = requests.get(url, timeout=TIMEOUT_S, verify=ca_file)
        assert response.status_code == 200
        return response.elapsed.total_seconds()

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return list(pool.map(one, range(count)))


class _OneContext(HTTPAdapter):
    """requests' own adapter with the CA file read once."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        pool.pop("ca_certs", None)
        pool.pop("ca_cert_dir", None)
        return host, pool

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the context."""


def best_requests(url: str, count: int, ca_file: str) -> Sequence[float]:
    """A prepared request through one adapter with one context; no guard, no expectations."""
    adapter = _OneContext(ssl.create_default_context(cafile=ca_file))
    session = requests.Session()
    session.trust_env = False
    prepared = session.prepare_request(
        requests.Request("GET", url, headers={"Connection": "close"})
    )

    def one(_: int) -> float:
        started = time.perf_counter()
        response = adapter.send(prepared, stream=True, timeout=TIMEOUT_S)
        assert response.raw.read(65536)
        assert response.status_code == 200
        response.close()
        return time.perf_counter() - started

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return list(pool.map(one, range(count)))


def with_aiohttp(url: str, count: int, ca_file: str) -> Sequence[float]:
    """One session, one context, a new connection each time."""
    aiohttp = importlib.import_module("aiohttp")

    async def everything() -> Sequence[float]:
        context = ssl.create_default_context(cafile=ca_file)
        connector = aiohttp.TCPConnector(limit=0, force_close=True, ssl=context)
        places = asyncio.Semaphore(CONCURRENCY)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def one() -> float:
                async with places:
                    started = time.perf_counter()
                    async with session.get(url) as response:
                        await response.read()
                        assert response.status == 200
                    return time.perf_counter() - started

            return await asyncio.gather(*(one() for _ in range(count)))

    return asyncio.run(everything())


def with_pycurl(url: str, count: int, ca_file: str) -> Sequence[float]:
    """CurlMulti with handles used again, the CA file cached by libcurl."""
    pycurl = importlib.import_module("pycurl")
    multi = pycurl.CurlMulti()
    handles = [_curl(pycurl, url, ca_file) for _ in range(min(CONCURRENCY, count))]
    for handle in handles:
        multi.add_handle(handle)
    started = len(handles)
    times: list[float] = []
    while len(times) < count:
        multi.perform()
        _, finished, failed = multi.info_read()
        assert not failed, failed
        for handle in finished:
            assert handle.getinfo(pycurl.RESPONSE_CODE) == 200
            times.append(handle.getinfo(pycurl.TOTAL_TIME))
            multi.remove_handle(handle)
            if started < count:
                started += 1
                multi.add_handle(handle)
        if not finished:
            multi.select(1.0)
    return times


def _curl(pycurl: Any, url: str, ca_file: str) -> Any:
    handle = pycurl.Curl()
    for option, value in {
        "URL": url,
        "CAINFO": ca_file,
        "NOSIGNAL": 1,
        "FRESH_CONNECT": 1,
        "FORBID_REUSE": 1,
        "TIMEOUT": TIMEOUT_S,
        "WRITEFUNCTION": len,
    }.items():
        handle.setopt(getattr(pycurl, option), value)
    return handle


def ours(url: str, count: int, ca_file: str) -> Sequence[float]:
    """Monitum's checker: guard, timings, confirmation and expectations on."""
    checker = Checker(Guard(allow_private=True), ca_file=ca_file, concurrency=CONCURRENCY)
    lanes = {
        lane: [_spec(url, place) for place in range(min(50, count - lane * 50))]
        for lane in range((count + 49) // 50)
    }
    results = [result for _, lane in checker.check_lanes(lanes) for result in lane.values()]
    checker.close()
    assert all(result.verdict == "UP" for result in results), results
    return [result.response_ms / 1000 for result in results]


def _spec(url: str, place: int) -> CheckSpec:
    return CheckSpec(
        target_id=f"target-{place}",
        place=place,
        kind="http",
        interval_s=60,
        timeout_s=TIMEOUT_S,
        failure_threshold=2,
        recovery_threshold=1,
        config={"url": url, "method": "GET"},
        expect={"status_codes": ["200-299"], "body_contains": "OK", "max_response_ms": 19000},
    )


CLIENTS: Final[Mapping[str, Client]] = {
    "requests, naive": naive_requests,
    "requests, best": best_requests,
    "aiohttp": with_aiohttp,
    "pycurl": with_pycurl,
    "monitum": ours,
}


def measure(name: str, url: str, count: int, ca_file: str) -> Measured:
    """Run a client once to warm it up and once to count; CPU is this process's alone."""
    client = CLIENTS[name]
    client(url.replace("slow", ""), min(count, 20), ca_file)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    times = client(url, count, ca_file)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(cpu, wall, times)


if __name__ == "__main__":
    sys.exit("run python -m benchmarks.checker")
