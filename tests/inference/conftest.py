from collections.abc import Iterator
from pathlib import Path

import pytest

from amgan.inference.ager import Ager


@pytest.fixture(scope="module")
def ager(small_model: Path) -> Iterator[Ager]:
    """The small model, without bf16: the same on every processor."""
    with Ager(small_model, precision="fp32") as ager:
        yield ager
