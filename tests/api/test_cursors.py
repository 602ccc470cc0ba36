"""Cursors: signed with their owner's key, their list and its filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.cursors import Cursors
from chalicelib.common.errors import BadRequestError

FILTERS = st.dictionaries(
    st.sampled_from(["tag", "q", "status"]), st.text(max_size=5) | st.booleans() | st.integers()
)


@given(st.text(max_size=100), FILTERS)
def test_cursor_round_trip(position: str, filters: dict[str, object]) -> None:
    cursor = Cursors("key", "list", filters).write(position)
    assert cursor is not None
    assert cursor.isascii()
    assert Cursors("key", "list", dict(reversed(filters.items()))).read(cursor) == position


def test_neither_the_end_nor_the_beginning_has_a_cursor() -> None:
    cursors = Cursors("key", "list", {})
    assert cursors.write(None) is None
    assert cursors.read(None) is None


@given(FILTERS, FILTERS)
def test_cursor_is_invalid_with_other_filters(
    own: dict[str, object], others: dict[str, object]
) -> None:
    cursor = Cursors("key", "list", own).write("position")
    if repr(sorted(own.items(), key=str)) != repr(sorted(others.items(), key=str)):
        with pytest.raises(BadRequestError):
            Cursors("key", "list", others).read(cursor)


@given(st.text(max_size=200))
def test_other_text_is_not_a_cursor(text: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        Cursors("key", "list", {}).read(text)
    assert caught.value.faults[0].loc == ("query", "cursor")


@pytest.mark.parametrize(("key", "name"), [("other", "list"), ("key", "other")])
def test_cursor_is_invalid_for_another_owner_or_list(key: str, name: str) -> None:
    cursor = Cursors("key", "list", {}).write("position")
    with pytest.raises(BadRequestError):
        Cursors(key, name, {}).read(cursor)
