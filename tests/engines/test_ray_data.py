"""A Ray cluster of two nodes on this machine, one core each, against this process."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("ray", reason="the extra `scale` is not installed")

from amgan.data.curation.limits import Limits
from amgan.data.curation.run import curate
from amgan.engines.ray_data import RayEngine
from amgan.errors import DatasetError
from amgan.models.estimator_file import load_estimators
from amgan.training.scoring import score_dataset


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    store = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=store)
    cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="module")
def engine(address: str) -> Iterator[RayEngine]:
    with RayEngine(address=address) as engine:
        yield engine


class Where:
    """Says on which node each item was handled."""

    def run(self, item: int) -> tuple[int, str]:
        import time

        import ray

        time.sleep(0.2)
        if item < 0:
            raise DatasetError(f"{item}: is negative")
        return item, ray.get_runtime_context().get_node_id()

    def close(self) -> None: ...


def test_both_nodes_work_and_results_are_in_order(engine: RayEngine) -> None:
    import ray

    # The nodes cannot import the tests.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    found = list(engine.run(Where, range(100), str))
    assert [item for item, _ in found] == list(range(100))
    nodes = Counter(node for _, node in found)
    assert set(nodes) == {node["NodeID"] for node in ray.nodes()} and len(nodes) == 2
    with pytest.raises(DatasetError, match="-3: is negative"):
        list(engine.run(Where, [1, 2, -3, 4], str))


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
