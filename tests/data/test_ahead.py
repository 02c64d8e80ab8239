import os
import sys
import threading
import time
from contextlib import closing

import pytest
import torch

from amgan.data.ahead import made_ahead, side_by_side


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_order_stays_whoever_is_first(workers: int) -> None:
    def make(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number * 2

    assert list(made_ahead(make, range(12), workers)) == [2 * number for number in range(12)]
    assert not ours()


def test_only_so_many_are_prepared() -> None:
    begun: list[int] = []
    with closing(made_ahead(begun.append, range(100), 2)) as made:
        next(made)
        time.sleep(0.1)
        assert len(begun) == 5


def test_ctrl_c_while_one_is_used_ends_the_threads() -> None:
    with pytest.raises(KeyboardInterrupt), closing(made_ahead(lambda number: number, range(1000), 3)) as made:
        for number in made:
            assert ours()
            if number == 2:
                raise KeyboardInterrupt
    assert not ours()


def test_a_fault_comes_out_where_its_item_would() -> None:
    def make(number: int) -> float:
        return 1 / (3 - number)

    made = made_ahead(make, range(6), 2)
    assert [next(made) for _ in range(3)] == [1 / 3, 1 / 2, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)
    assert not ours()


def test_pytorch_has_one_thread_there_and_as_many_as_before_here() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    assert list(made_ahead(lambda _: torch.get_num_threads(), range(4), 2)) == [1] * 4
    with side_by_side(2) as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_side_by_side_two_are_at_work_at_once_and_gone_after() -> None:
    both = threading.Barrier(2, timeout=10)
    with side_by_side(2) as pool:
        assert sorted(pool.map(lambda _: both.wait(), range(2))) == [0, 1]
    assert not ours()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_what_is_made_ahead_gives_way_to_the_step() -> None:
    def priority(_: object) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority(None)
    assert list(made_ahead(priority, range(4), workers=2)) == [19] * 4
    with side_by_side(2) as pool:  # the step waits for those
        assert list(pool.map(priority, range(4))) == [before] * 4
    assert priority(None) == before
