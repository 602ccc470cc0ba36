"""Ids sort by creation time, within one millisecond and across threads, too."""

import threading

from chalicelib.common.ids import IdGenerator, id_time, is_id, new_id

NOW = 1_795_000_000.123


def test_ids_of_one_millisecond_are_ordered() -> None:
    ids = [new_id(NOW) for _ in range(5_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(is_id(one) and id_time(one) == int(NOW) for one in ids)


def test_later_ids_sort_later() -> None:
    assert new_id(NOW) < new_id(NOW + 0.001) < new_id(NOW + 1)


def test_threads_get_different_ids() -> None:
    series, found = IdGenerator(), []

    def make() -> None:
        found.extend([series.next(NOW) for _ in range(500)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4_000


def test_generators_start_at_random() -> None:
    """Two processes do not collide in the same millisecond."""
    assert len({IdGenerator().next(NOW) for _ in range(1_000)}) == 1_000
