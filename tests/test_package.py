import subprocess
import sys

import pytest

import amgan


def test_the_package_loads_pytorch_only_for_a_model_that_wants_it() -> None:
    code = (
        "import sys, amgan; early = {'torch', 'mediapipe', 'numpy'} & set(sys.modules); "
        "from amgan import Ager; print(sorted(early), 'torch' in sys.modules, Ager.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False amgan.inference.ager"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Agre"):
        amgan.Agre  # noqa: B018
