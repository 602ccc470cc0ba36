"""The text format of tokens: round trip, and rejection of everything else."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.access.token import TokenName, new_token, read_token, token_hash, token_hint
from chalicelib.common.ids import is_id, new_id

IDS = st.uuids().map(str)


@given(IDS, IDS)
def test_token_contains_its_ids(owner: str, token_id: str) -> None:
    token = new_token(owner, token_id)
    assert read_token(token) == TokenName(owner, token_id)
    assert len(token) == 80
    assert token.startswith("mon_")
    assert token[4:].isalnum()


def test_tokens_with_the_same_ids_differ() -> None:
    name = str(UUID(int=0))
    tokens = {new_token(name, name) for _ in range(50)}
    assert len(tokens) == len({token_hash(token) for token in tokens}) == 50


@given(IDS, st.integers(0, 79), st.characters(min_codepoint=33, max_codepoint=0x2FF))
def test_changed_character_invalidates_a_token(owner: str, at: int, other: str) -> None:
    token = new_token(owner, owner)
    changed = token[:at] + other + token[at + 1 :]
    assert (read_token(changed) is None) == (changed != token)


@given(st.text(max_size=100) | st.text(alphabet="mon_09AZaz", min_size=80, max_size=80))
def test_other_text_is_no_token(text: str) -> None:
    assert read_token(text) is None


@given(IDS)
def test_hint_reveals_only_the_checksum(owner: str) -> None:
    token = new_token(owner, owner)
    assert token_hint(token) == f"mon_…{token[74:]}", "the checksum alone"


@given(st.floats(0, 2**37), st.floats(0, 2**37))
def test_ids_sort_by_time(one: float, other: float) -> None:
    first, second = sorted([one, other])
    ids = new_id(first), new_id(second)
    assert all(map(is_id, ids))
    if int(first * 1000) < int(second * 1000):
        assert ids[0] < ids[1]


@given(st.text(max_size=40))
def test_other_text_is_no_id(text: str) -> None:
    assert not is_id(text)
