"""Ids sort by creation time, within one millisecond and across threads, too."""

from chalicelib.common.ids import IdGenerator, id_time, is_id, new_id
from tests.support.threads import run_concurrently

NOW = 1_795_000_000.123


def test_ids_of_one_millisecond_are_ordered() -> None:
    ids = [new_id(NOW) for _ in range(5_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(is_id(one) and id_time(one) == int(NOW) for one in ids)


def test_later_ids_sort_later() -> None:
    assert new_id(NOW) < new_id(NOW + 0.001) < new_id(NOW + 1)


def test_threads_get_different_ids() -> None:
    generator = IdGenerator()
    found = run_concurrently(lambda _: [generator.next(NOW) for _ in range(500)], 8)
    assert len({one for ids in found for one in ids}) == 4_000


def test_generators_start_at_random() -> None:
    """Two processes do not collide in the same millisecond."""
    assert len({IdGenerator().next(NOW) for _ in range(1_000)}) == 1_000
