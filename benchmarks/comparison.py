"""A month of so many targets at 60 s, in USD, beside what others ask for the same."""

from collections.abc import Callable, Mapping

from benchmarks import prices

QUEUES = 2
"""Queues that Lambda polls: checks and alerts."""
_LANE_GB = (90 * 1_440 * 0.95 + 400 * 24 * 4 + 1_827 * 6) / 1e6
"""What a lane of fifty stores in the end: results, hours, days; in KB each."""
Costs = Mapping[str, float]


def month(count: int, found: Costs) -> dict[str, float]:
    """USD a month by part, of `count` targets that cost what was `found` per check."""
    checks = count * prices.MINUTES_A_MONTH
    ticks = prices.MINUTES_A_MONTH + prices.MINUTES_A_MONTH / 60
    return {
        "checks": found["usd"] / 1e6 * checks,
        "storage": -(-count // 50) * _LANE_GB * prices.DYNAMODB_GB_MONTH,
        "polling, schedules": QUEUES
        * prices.POLLS_A_MINUTE
        * prices.MINUTES_A_MONTH
        * prices.SQS_REQUEST
        + ticks * prices.EVENTBRIDGE_INVOCATION,
    }


def others(count: int) -> dict[str, float]:
    """USD a month of others, HTTPS with a string to match, outside AWS."""
    route53 = prices.ROUTE53_CHECK_MONTH + 2 * prices.ROUTE53_FEATURE_MONTH
    return {
        "Route 53": count * route53,
        "Synthetics": count * prices.MINUTES_A_MONTH * prices.SYNTHETICS_RUN,
        "UptimeRobot": -(-count // 100) * prices.UPTIMEROBOT_100_MONTH,
    }


def table(measure: Callable[[int], Costs]) -> None:
    """Print the months of 1 to 10,000 targets; more than a hundred cost what those do per check."""
    counts = (1, 10, 100, 1_000, 10_000)
    found = {count: measure(count) for count in counts[:3]}
    found[1_000] = found[10_000] = found[100]
    parts = [month(count, found[count]) for count in counts]
    print(f"\n{'USD a month, targets at 60 s':30}" + "".join(f"{count:>12,}" for count in counts))
    for name in parts[0]:
        print(f"{name:30}" + "".join(f"{part[name]:12,.2f}" for part in parts))
    print(f"{'Monitum':30}" + "".join(f"{sum(part.values()):12,.2f}" for part in parts))
    for name in others(1):
        print(f"{name:30}" + "".join(f"{others(count)[name]:12,.2f}" for count in counts))
