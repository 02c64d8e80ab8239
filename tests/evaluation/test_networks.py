from pathlib import Path

import pytest
import torch

from amgan.errors import WeightsError
from amgan.evaluation.inquiry import _content
from amgan.evaluation.networks import fetch


def test_a_url_is_loaded_once_and_another_of_its_name_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = list[str]()

    def load(source: str, path: str, progress: bool) -> None:
        loaded.append(source)
        Path(path).write_text(source)

    monkeypatch.setattr(torch.hub, "download_url_to_file", load)
    one, other = "https://a.org/inception.pt", "https://b.org/inception.pt"
    for source in (one, other, one):
        assert fetch(source, tmp_path / "store").read_text() == source
    assert loaded == [one, other]
    with pytest.raises(WeightsError, match=r"none\.pt: no such file"):
        fetch(str(tmp_path / "none.pt"), tmp_path)


def test_a_judge_is_what_is_in_its_file_and_not_how_that_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    graph, weights = tmp_path / "faceres.json", tmp_path / "faceres.bin"
    graph.write_text("{}")
    weights.write_bytes(b"one")
    before = _content("faceres.json")
    assert before == _content(str(graph)) and len(before or "") == 64
    weights.write_bytes(b"two")
    assert _content("faceres.json") != before
    assert _content(None) is None and _content("https://a.org/x.pt") == "https://a.org/x.pt"
