import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from amgan.data.cache import ArrayCache


def of(number: int) -> np.ndarray:
    return np.full(100, number, np.uint8)


def test_what_was_asked_for_last_is_kept_within_the_bytes() -> None:
    cache = ArrayCache(250)
    for number in (0, 1, 0, 2):
        assert (cache.get(number, lambda number=number: of(number)) == number).all()
        assert cache.used <= 250
    assert cache.made == 3 and cache.used == 200
    cache.get(0, lambda: pytest.fail("it was asked for after 1"))
    cache.get(1, lambda: of(1))
    assert cache.made == 4


def test_nothing_is_kept_without_room() -> None:
    for capacity in (0, 99):
        cache = ArrayCache(capacity)
        for _ in range(2):
            assert cache.get(0, lambda: of(0)).sum() == 0
        assert cache.made == 2 and cache.used == 0


def test_what_is_shared_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ArrayCache(1000).get(0, lambda: of(0))[0] = 1


def test_threads_may_share_one() -> None:
    cache, barrier = ArrayCache(450), threading.Barrier(4)

    def ask(seed: int) -> bool:
        barrier.wait()
        picks = np.random.default_rng(seed).integers(0, 8, 500)
        return all((cache.get(int(n), lambda n=n: of(n)) == n).all() and cache.used <= 450 for n in picks)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(4)))
    assert cache.used == 400
