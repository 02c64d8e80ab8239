"""Work as a Ray Data pipeline, on a cluster of its own or an existing one.

Items and results travel pickled, so that a result is the very value that a local process would have given. Results
come back to the driver, which alone writes tables: as with local processes, no row is ever lost half.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from types import TracebackType
from typing import Any, Generic, Self

from amgan.engines.base import Item, Result, Worker
from amgan.errors import AmganError, EngineError, MissingExtraError, in_one_line
from amgan.processes import quiet_stderr, share_cores, usable_cores

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read at the import; nothing is to leave the machine
try:
    import pyarrow as pa
    import ray
    import ray.data
    from ray.exceptions import RayError, RayTaskError
except ImportError as missing:
    raise MissingExtraError("--engine ray needs the package 'ray[data]': pip install 'amgan[scale]'") from missing

# Items that go to an actor together at most.
_BLOCK = 8
# Items of one pipeline at most: they are listed, and a list is not to grow with the folder.
_PIPELINE = 50_000
# Photos go on elsewhere when a machine is lost, but one that kills its process does not go round for ever.
_RETRIES = 2
# Seconds a cluster has to answer.
_ANSWER = 5.0
# Bytes; only rows go through it.
_OBJECT_STORE = 256 * 2**20


class RayEngine:
    """Does work in actors of a Ray cluster, one processor core each.

    Args:
        workers: Actors; None for one a core of the cluster.
        address: Of an existing cluster: ``HOST:PORT``, or ``auto`` for the one on this machine. None for the
            environment's ``RAY_ADDRESS``, else a cluster is started on this machine and ended afterwards. Where the
            program is connected to Ray already, that cluster is used and left as it is.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        self.workers = workers
        self.address = address or os.environ.get("RAY_ADDRESS")
        self._connected = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connected:
            ray.shutdown()
            self._connected = False

    def run(
        self, start: Callable[[], Worker[Item, Result]], items: Iterable[Item], name: Callable[[Item], str]
    ) -> Generator[Result, None, None]:
        """As `Engine.run`."""
        left = iter(items)
        while pipeline := list(islice(left, _PIPELINE)):
            actors = self._connect()
            done = 0
            try:
                for result in _pipeline(start, pipeline, actors):
                    yield result
                    done += 1
            except RayTaskError:
                raise  # a fault of this program, with its traceback
            except RayError as error:
                near = ", ".join(map(name, pipeline[done : done + actors]))
                raise EngineError(
                    f"a worker process died at or near {near} ({type(error).__name__}; out of memory?); what is done "
                    "stays: run again with fewer --workers, or take the photo away"
                ) from error

    def _connect(self) -> int:
        """Connects, unless that is done; returns how many actors to use."""
        if not ray.is_initialized():
            quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
            if self.address in (None, "local"):
                cores = self.workers or usable_cores()
                quiet |= {"num_cpus": cores, "object_store_memory": _OBJECT_STORE, "include_dashboard": False}
            elif self.address != "auto":
                _check_answers(self.address)
            try:
                ray.init(address=self.address or "local", **quiet)
            except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
                reason = in_one_line(error, 200)
                raise EngineError(f"Ray at {self.address or 'this machine'}: cannot be used ({reason})") from error
            self._connected = True
        return self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))


def _check_answers(address: str) -> None:
    """Ray itself would try for minutes.

    Raises:
        EngineError: Nothing answers there.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise EngineError(f"Ray at {address}: is no address; write HOST:PORT as `ray start --head` prints it, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER).close()
    except (OSError, OverflowError) as error:
        raise EngineError(f"Ray at {address}: does not answer ({error}); is the cluster started there?") from error


def _pipeline(start: Callable[[], Worker[Item, Result]], items: list[Item], actors: int) -> Iterator[Result]:
    actors = min(actors, len(items))
    block = max(1, min(_BLOCK, len(items) // (4 * actors)))
    pickled = (pickle.dumps(item) for item in items)
    blocks = []
    while rows := list(islice(pickled, block)):
        blocks.append(pa.table({"item": pa.array(rows, pa.large_binary())}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of options that only the copy touches
        context = ray.data.DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what goes wrong is raised
    try:
        with ray.data.DataContext.current(context):
            with warnings.catch_warnings():
                # To go in Ray 2.64, which is therefore not allowed, as there is no other way yet to ask for retries:
                # without, a photo that kills its process would be tried for ever.
                warnings.simplefilter("ignore", DeprecationWarning)
                results = ray.data.from_arrow(blocks).map_batches(
                    _Actor,
                    fn_constructor_args=(start,),
                    batch_size=None,
                    batch_format="pyarrow",
                    compute=ray.data.ActorPoolStrategy(size=actors),
                    num_cpus=1,
                    max_task_retries=_RETRIES,
                )
            batches = iter(results.iter_batches(batch_size=None, batch_format="pyarrow"))
            with quiet_stderr():  # Ray's core prints a remark on every actor that may be restarted
                first = next(batches)
            for batch in chain([first], batches):
                assert isinstance(batch, pa.Table)
                for outcome in batch.column("outcome"):
                    found = pickle.loads(outcome.as_py())
                    if isinstance(found, AmganError):
                        raise found
                    yield found
    finally:
        logger.setLevel(level)


class _Actor(Generic[Item, Result]):
    """One process of the pipeline, which holds a worker."""

    def __init__(self, start: Callable[[], Worker[Item, Result]]) -> None:
        self._start = start
        self._worker: Worker[Item, Result] | None = None

    def __call__(self, batch: pa.Table) -> pa.Table:
        outcomes = [pickle.dumps(self._outcome(pickle.loads(item.as_py()))) for item in batch.column("item")]
        return pa.table({"outcome": pa.array(outcomes, pa.large_binary())})

    def _outcome(self, item: Item) -> Result | AmganError:
        """A result; an error is one too, so that it reaches the driver as it is and in its place."""
        try:
            if self._worker is None:
                share_cores(usable_cores())
                self._worker = self._start()
            return self._worker.run(item)
        except AmganError as error:
            return error
