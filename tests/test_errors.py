import subprocess
import sys

import pytest

TOOLS = {
    "amgan.data.quantiles": ["--out", "OUT"],
    "amgan.data.curation.fit_occlusion": ["--store", "STORE", "--out", "OUT"],
    "amgan.training.fit_trends": ["default", "--store", "STORE"],
    "amgan.training.fit_parsing": ["--store", "STORE", "--out", "OUT", "--teacher", "TEACHER"],
    "amgan.evaluation.shift": ["--store", "STORE"],
}


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_says_in_one_line_what_is_wrong(tool: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tool")
    asked = ["--data", "no such folder", *TOOLS[tool]]
    done = subprocess.run([sys.executable, "-m", tool, *asked], cwd=folder, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "no such folder" in line]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert len(said) == 1 and said[0].startswith(tool.rpartition(".")[2] + ": ")
    assert not list(folder.iterdir())
