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
def test_what_was_written_is_read(position: str, filters: dict[str, object]) -> None:
    cursor = Cursors("key", "list", filters).write(position)
    assert cursor is not None
    assert cursor.isascii()
    assert Cursors("key", "list", dict(reversed(filters.items()))).read(cursor) == position


def test_the_end_has_no_cursor_and_the_beginning_needs_none() -> None:
    cursors = Cursors("key", "list", {})
    assert cursors.write(None) is None
    assert cursors.read(None) is None


@given(FILTERS, FILTERS)
def test_other_filters_refuse_it(own: dict[str, object], others: dict[str, object]) -> None:
    cursor = Cursors("key", "list", own).write("position")
    if repr(sorted(own.items(), key=str)) != repr(sorted(others.items(), key=str)):
        with pytest.raises(BadRequestError):
            Cursors("key", "list", others).read(cursor)


@given(st.text(max_size=200))
def test_no_other_text_is_a_cursor(text: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        Cursors("key", "list", {}).read(text)
    assert caught.value.faults[0].loc == ("query", "cursor")


@pytest.mark.parametrize(("key", "name"), [("other", "list"), ("key", "other")])
def test_another_owner_and_another_list_refuse_it(key: str, name: str) -> None:
    cursor = Cursors("key", "list", {}).write("position")
    with pytest.raises(BadRequestError):
        Cursors(key, name, {}).read(cursor)
