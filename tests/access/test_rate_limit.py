"""The rate limit, compared with a token bucket that counts request by request."""

from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.access.rate_limit import Minute, Rate, decide, next_start

RATE = Rate(per_minute=300, burst=60)


class Requests:
    """Counts requests as the repository stores them."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.minutes: dict[int, Minute] = {}
        self.counts: Counter[tuple[int, int]] = Counter()

    def ask(self, at: int) -> bool:
        number, second = divmod(at, 60)
        if number not in self.minutes:
            start = next_start(self.rate, self.minutes.get(number - 1))
            self.minutes[number] = Minute(start, {})
        self.counts[number, second] += 1
        counts = {s: n for (m, s), n in self.counts.items() if m == number}
        self.minutes[number] = Minute(self.minutes[number].start, counts)
        return decide(self.rate, self.minutes[number], second).is_admitted


def test_burst_then_five_a_second() -> None:
    requests = Requests(RATE)
    assert [requests.ask(0) for _ in range(70)] == [True] * 60 + [False] * 10
    assert [requests.ask(1) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [requests.ask(12) for _ in range(70)] == [True] * 55 + [False] * 15


def test_decision_reports_remaining_and_retry_times() -> None:
    minute = Minute(RATE.full, {3: 60})
    ruling = decide(RATE, minute, 3)
    assert (ruling.is_admitted, ruling.remaining, ruling.reset_s) == (True, 0, 12)
    refused = decide(RATE, Minute(RATE.full, {3: 61}), 3)
    assert (refused.is_admitted, refused.retry_after_s) == (False, 1)
    slow = Rate(per_minute=2, burst=1)
    assert decide(slow, Minute(slow.full, {0: 2}), 0).retry_after_s == 30
    assert (slow.window_s, RATE.window_s) == (30, 12)


@given(
    per_minute=st.integers(1, 600),
    burst=st.integers(1, 600),
    gaps=st.lists(st.integers(0, 40).map(lambda n: max(0, n - 30)), max_size=300),
)
def test_equals_a_token_bucket(per_minute: int, burst: int, gaps: list[int]) -> None:
    """Across minutes, too; rejected requests use nothing up."""
    burst = min(burst, per_minute)
    rate = Rate(per_minute, burst)
    requests = Requests(rate)
    level, at = Fraction(burst), 0
    for gap in gaps:
        at += gap
        level = min(Fraction(burst), level + Fraction(gap * per_minute, 60))
        admitted = level >= 1
        level -= admitted
        assert requests.ask(at) == admitted
