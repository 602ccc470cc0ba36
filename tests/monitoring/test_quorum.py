"""Several regions and one verdict: a table, and what holds in whatever order they report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.monitoring.quorum import agreed_index
from chalicelib.monitoring.result import Verdict

UP, DOWN, DEGRADED, UNKNOWN = Verdict
LETTERS = {"u": UP, "d": DOWN, "s": DEGRADED, "?": UNKNOWN}


# What the regions say in the order in which they count, "." for one that has not reported yet;
# the quorum; and what stands.
# fmt: off
TABLE = [
    ("u", None, UP), ("d", None, DOWN), ("s", None, DEGRADED), ("?", None, UNKNOWN),
    # Two regions: half of them is one.
    ("d.", None, DOWN), ("u.", None, None), ("uu", None, UP), ("ud", None, DOWN),
    ("u?", None, UP), ("d?", None, DOWN), ("??", None, UNKNOWN), ("?.", None, None),
    ("ud", 2, UP), ("d.", 2, None), ("dd", 2, DOWN),
    # Three: two of them.
    ("d..", None, None), ("du.", None, None), ("dd.", None, DOWN), ("uu.", None, UP),
    ("duu", None, UP), ("ddu", None, DOWN), ("du?", None, DOWN), ("d??", None, DOWN),
    ("u??", None, UP), ("uud", 1, DOWN), ("ddu", 3, UP), ("ddd", 3, DOWN), ("dd.", 3, None),
    # Degraded counts as an answer, and stands if as many say it.
    ("suu", None, UP), ("ssu", None, DEGRADED), ("sd.", None, None), ("sud", None, UP),
    # A quorum that more regions would be needed for than can tell: all of those.
    ("d?", 2, DOWN), ("u?", 2, UP), ("dd??", 4, DOWN),
    # Four.
    ("dd..", None, DOWN), ("uuu.", None, UP), ("uu..", None, None), ("uudd", None, DOWN),
]
# fmt: on


@pytest.mark.parametrize(("said", "quorum", "stands"), TABLE)
def test_the_agreed_verdict(said: str, quorum: int | None, stands: Verdict | None) -> None:
    verdicts = [LETTERS[letter] for letter in said if letter != "."]
    at = agreed_index(verdicts, len(said), quorum)
    assert (None if at is None else verdicts[at]) == stands


verdicts_of_regions = st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=7)
quorums = st.none() | st.integers(1, 7)


def _verdict(verdicts: list[Verdict], regions: int, quorum: int | None) -> Verdict | None:
    at = agreed_index(verdicts, regions, quorum)
    return None if at is None else verdicts[at]


@given(verdicts_of_regions, quorums, st.data())
def test_an_agreed_verdict_does_not_change(
    verdicts: list[Verdict], quorum: int | None, data: st.DataObject
) -> None:
    """But for DEGRADED, which as an answer is as good as UP."""
    order = data.draw(st.permutations(verdicts))
    stood = [_verdict(order[:count], len(order), quorum) for count in range(1, len(order) + 1)]
    told = [verdict for verdict in stood if verdict is not None]
    assert len({verdict is DOWN for verdict in told}) <= 1
    assert stood[-1] is not None


@given(verdicts_of_regions, quorums, st.data())
def test_the_order_of_reports_does_not_matter(
    verdicts: list[Verdict], quorum: int | None, data: st.DataObject
) -> None:
    other = data.draw(st.permutations(verdicts))
    regions = len(verdicts)
    assert _verdict(verdicts, regions, quorum) == _verdict(other, regions, quorum)
