"""Pools of worker processes: how many, how they begin, and how they end."""

import functools
import gc
import importlib
import tempfile
import time
from pathlib import Path
from types import ModuleType

import pytest

from amgan import processes
from amgan.engines.local import LocalEngine
from amgan.errors import EngineError, PhotoError
from amgan.processes import fitting_workers, free_memory, one_thread, usable_cores

GIB = 2**30


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The workers, by a name that processes that are started can import too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("pooled_workers")


def test_workers_are_as_many_as_cores_and_memory_have_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(processes, "_CONTAINER", tmp_path)
    monkeypatch.setattr(processes, "usable_cores", lambda: 6)
    assert free_memory() is None and fitting_workers(GIB) == 6
    (tmp_path / "meminfo").write_text("MemTotal:  8388608 kB\nMemAvailable:  5242880 kB\n")
    assert free_memory() == 5 * GIB and fitting_workers(GIB) == 5 and fitting_workers(9 * GIB) == 1
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text(f"{GIB}\n")
    assert free_memory() == 5 * GIB
    (tmp_path / "memory.max").write_text(f"{4 * GIB}\n")
    assert free_memory() == 3 * GIB and fitting_workers(GIB) == 3


def test_one_thread_is_for_a_while() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before and usable_cores() >= 1


def test_a_pool_gives_results_in_order_and_leaves_no_file(
    pooled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert list(LocalEngine(2).run(functools.partial(pooled.Doubler, 1), range(3), str)) == [0, 2, 4]
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_worker_that_cannot_be_made_says_why(pooled: ModuleType) -> None:
    with pytest.raises(PhotoError, match="0: not a size; take 1"):
        list(LocalEngine(2).run(functools.partial(pooled.Doubler, 0), range(3), str))


def test_a_process_that_dies_while_it_begins_is_not_waited_for(pooled: ModuleType) -> None:
    # What comes after the second is more than a pipe holds.
    for dying in (
        functools.partial(pooled.Doubler, -1),
        functools.partial(pooled.Doubler, pooled.Fatal(), bytes(2**20)),
    ):
        with pytest.raises(EngineError, match="died at or near"):
            list(LocalEngine(2).run(dying, range(9), str))


def test_who_wants_no_more_does_not_wait_for_what_was_begun(pooled: ModuleType) -> None:
    doubled = LocalEngine(2).run(functools.partial(pooled.Doubler, 1), [1, 7, 7, 7], str)
    assert next(doubled) == 2
    began = time.monotonic()
    doubled.close()
    assert time.monotonic() - began < 60
