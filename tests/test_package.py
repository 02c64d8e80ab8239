import subprocess
import sys

import pytest

import amgan


def test_the_package_loads_pytorch_only_when_it_is_used() -> None:
    code = (
        "import sys, amgan; early = {'torch', 'mediapipe', 'numpy'} & set(sys.modules); "
        "from amgan import Ager; print(sorted(early), 'torch' in sys.modules, Ager.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True amgan.inference.ager"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Agre"):
        amgan.Agre  # noqa: B018
