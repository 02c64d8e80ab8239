"""Controllable, high-resolution face aging with aging maps.

`Ager` is loaded when it is first asked for, and PyTorch only for a model that wants it.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amgan.inference.ager import Ager

__all__ = ["Ager", "__version__"]

try:
    __version__ = version("amgan")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name == "Ager":
        from amgan.inference.ager import Ager

        return Ager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
