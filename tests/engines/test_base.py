"""Choosing an engine."""

import sys

import pytest

from amgan.engines.base import open_engine
from amgan.engines.local import LocalEngine
from amgan.errors import MissingExtraError, RequestError


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "amgan.engines.ray_data", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'amgan\[scale\]'"):
        open_engine("ray")


def test_an_address_without_ray_is_refused() -> None:
    with pytest.raises(RequestError, match="--engine ray"):
        open_engine("local", address="auto")
    engine = open_engine("local", workers=2)
    assert isinstance(engine, LocalEngine) and engine.workers == 2
