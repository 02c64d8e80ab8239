"""A Ray cluster of two nodes on this machine, one core each, against this process."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("ray", reason="the extra `scale` is not installed")

from amgan.cli import app
from amgan.data.curation.limits import Limits
from amgan.data.curation.run import curate
from amgan.engines import ray_data
from amgan.engines.ray_data import RayEngine, _check_answers
from amgan.errors import DatasetError, EngineError
from amgan.models.estimator_file import load_estimators
from amgan.training.scoring import score_dataset
from manual.elsewhere import commands_for
from manual.pages import words

SHOWN = [words(line) for line in commands_for(__file__)]
# Of a node, that it ends with its command, and is no more than it has to be.
NODE = ["--block", "--num-cpus", "1", "--object-store-memory", str(100 * 2**20)]
ADDRESS = re.compile(r"ray start --address='([^']+)'")
STARTED = re.compile("Ray runtime started")


@contextmanager
def started(command: list[str], said: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Runs a command of Ray's until something is said, and ends it, with all that it started, afterwards."""
    # Else its processes wait for all others on a busy machine, and for half a minute when it ends.
    environment = os.environ | {"RAY_worker_niceness": "0", "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0"}
    whole = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    text = ""
    with subprocess.Popen(
        whole, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as node:
        assert node.stdout is not None
        try:
            while (found := said.search(text)) is None:
                line = node.stdout.readline()
                assert line, text
                text += line
            yield found
        finally:
            node.terminate()
            node.communicate()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The cluster of the manual, with both of its machines here."""
    head, other = (command for command in SHOWN if command[0] == "ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # The path of a socket may not be long.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        alone = ["--port", "0", "--ray-client-server-port", port, "--include-dashboard", "false", "--temp-dir", folder]
        with started([*head, *alone, *NODE], ADDRESS) as found:
            more = [re.sub(r"(?<=--address=).*", found[1], word) for word in other]
            assert more != other
            with started([*more, *NODE], STARTED):
                yield found[1]


@pytest.fixture(scope="module")
def engine(address: str) -> Iterator[RayEngine]:
    with RayEngine(address=address) as engine:
        yield engine


class Where:
    """Says on which node each item was handled, once both nodes are at work."""

    def __init__(self, meeting: Path) -> None:
        import ray

        self.node = ray.get_runtime_context().get_node_id()
        (meeting / self.node).touch()
        end = time.monotonic() + 60
        while len(list(meeting.iterdir())) < 2 and time.monotonic() < end:
            time.sleep(0.05)

    def run(self, item: int) -> tuple[int, str]:
        return item, self.node

    def close(self) -> None: ...


class Fails:
    """Notes that it is at an item, then raises an error or ends its process."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes

    def run(self, item: str) -> str:
        with (self.notes / item).open("a") as file:
            file.write("x")
        if item == "bad":
            raise DatasetError(f"{item}: is bad")
        if item == "deadly":
            os._exit(1)
        return item

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _importable() -> None:
    """The nodes cannot import the tests."""
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def test_both_nodes_work_and_results_are_in_order(engine: RayEngine, tmp_path: Path) -> None:
    import ray

    found = list(engine.run(partial(Where, tmp_path), range(100), str))
    assert [item for item, _ in found] == list(range(100))
    assert {node for _, node in found} == {node["NodeID"] for node in ray.nodes()}
    assert len({node for _, node in found}) == 2


def test_an_error_of_a_worker_arrives_as_it_is(engine: RayEngine, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="bad: is bad"):
        list(engine.run(partial(Fails, tmp_path), ["good", "bad"], str))


def test_an_item_that_kills_its_process_is_not_tried_for_ever(
    engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_data, "_RETRIES", 1)
    with pytest.raises(EngineError, match="at or near deadly"):
        list(engine.run(partial(Fails, tmp_path), ["deadly"], str))
    assert (tmp_path / "deadly").read_text() == "xx"


@pytest.mark.parametrize(("address", "message"), [("127.0.0.1:1", "not answer"), ("ray://here:1", "no address")])
def test_a_cluster_that_is_not_there_is_said_at_once(address: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        _check_answers(address)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows(path: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(path).to_pylist())


def test_the_same_table_and_faces(source: Path, lenient: Limits, engine: RayEngine, tmp_path: Path) -> None:
    local, far = tmp_path / "local", tmp_path / "far"
    curate(source, local, lenient, size=256, workers=1)
    summary = curate(source, far, lenient, size=256, engine=engine)
    assert summary.measured == 9 and rows(far / "faces.parquet") == rows(local / "faces.parquet")
    assert files(far / "aligned") == files(local / "aligned") and len(files(far / "aligned")) == 6
    assert curate(source, far, lenient, size=256, engine=engine).measured == 0


def test_the_same_scores(dataset: Path, engine: RayEngine, tmp_path: Path) -> None:
    local, far = (Path(shutil.copytree(dataset, tmp_path / name)) for name in ("local", "far"))
    estimators = load_estimators()
    score_dataset(local, estimators)
    assert score_dataset(far, estimators, engine=engine).scored == 11
    assert rows(far / "scores.parquet") == rows(local / "scores.parquet")


@pytest.mark.slow
def test_what_the_manual_shows(
    address: str, astronaut: np.ndarray, lenient: Limits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Image.fromarray(astronaut).save("photos/one.png")
    Path("limits.yaml").write_text(yaml.safe_dump(lenient.model_dump()))
    lines = [command[1:] for command in SHOWN if command[0] == "amgan"]
    assert {line[0] for line in lines} == {"curate", "score"}
    for line in sorted(lines):
        more = ("--size", "256", "--limits", "limits.yaml") if line[0] == "curate" else ()
        result = CliRunner().invoke(app, [*line, "--ray-address", address, "--workers", "1", *more])
        assert result.exit_code == 0, (line, result.output, result.exception)
    assert len(rows(Path("curated/scores.parquet"))) == 1
