"""Regular expressions: found where they are, within a bounded amount of work."""

import random
import time

import pytest

from chalicelib.probes.assertions.safe_regex import MAX_WORK, compile_pattern, search
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.work_limiter import REGEX_LIMITER, WorkLimiter

SLOW = "(a|b)*a(a|b){400}c"
TEXT = "".join(random.Random(2).choices("ab", k=1 << 20))
PLENTY = 1e18
NONE_LEFT = 0.0


def test_a_small_pattern_sees_the_whole_of_the_largest_body() -> None:
    text = "x" * ((1 << 20) - 2)
    for found in ("OK", "äö"):
        for pattern in (found, f"{found}$", rf"\b{found}\b|{found}", f"[{found}]{{2}}"):
            assert search(pattern, text + found, PLENTY) == (True, None)
    assert search("OK", text, PLENTY) == (False, None)
    assert search("O[K]$", text + "OK ", PLENTY) == (False, None)


def test_literal_patterns_search_the_whole_text() -> None:
    pattern = "|".join(f"{number} items" for number in range(0, 99, 3))
    assert compile_pattern(pattern).programsize * len(TEXT) > MAX_WORK
    assert search(pattern, TEXT, NONE_LEFT) == (False, None)
    assert search(pattern, f"{TEXT} 33 items", NONE_LEFT) == (True, None)


def test_a_large_pattern_sees_as_much_as_the_work_allows() -> None:
    most = MAX_WORK // compile_pattern(SLOW).programsize
    found, sought = search(SLOW, TEXT, PLENTY)
    assert not found
    assert sought == most
    assert search(SLOW, TEXT[: most - 600] + "a" + "b" * 400 + "c" + TEXT, PLENTY)[0]
    assert not search(SLOW, TEXT[:most] + "a" + "b" * 400 + "c" + TEXT, PLENTY)[0]


def test_a_short_deadline_limits_the_searched_part() -> None:
    sought = search(SLOW, TEXT, NONE_LEFT)[1]
    assert sought is not None
    assert 0 < sought < MAX_WORK // compile_pattern(SLOW).programsize / 8


@pytest.mark.parametrize("pattern", ["(a|b)*a(a|b){400}$", r"(a|b)*a(a|b){400}\z", r"(a|b){400}\b"])
def test_the_end_of_a_part_is_not_the_end_of_the_text(pattern: str) -> None:
    assert not search(pattern, TEXT, PLENTY)[0]


def test_umlauts_count_as_the_bytes_they_are() -> None:
    text = "äö" * 250_000
    found, sought = search("[äö]{40}x", text, PLENTY)
    assert not found
    work = compile_pattern("[äö]{40}x").programsize * (sought or len(text.encode()))
    assert work == pytest.approx(MAX_WORK, rel=0.01)


def test_one_pattern_runs_at_a_time_and_waiting_too_long_is_an_internal_failure() -> None:
    with REGEX_LIMITER.enter(PLENTY):
        assert search("OK", "OK", NONE_LEFT) == (True, None), "a small one waits for nobody"
        started = time.monotonic()
        with pytest.raises(CheckFailure, match="no time to look") as caught:
            search(SLOW, TEXT, time.monotonic() + 0.05)
        assert 0.04 < time.monotonic() - started < 1
    assert caught.value.internal
    assert not caught.value.retryable
    assert search(SLOW, TEXT, NONE_LEFT)[0] is False


def test_a_limiter_frees_its_slot_after_an_error() -> None:
    limiter = WorkLimiter(1, "work")
    for _ in range(3):
        with pytest.raises(KeyError), limiter.enter(NONE_LEFT):
            raise KeyError
