"""`amgan curate` by processes of this machine and by Ray: photos a second, peak memory, and what ``kill -9`` costs.

Run it with nothing else running, on Linux: ``.venv/bin/python benchmarks/curation.py PHOTOS --scratch DIR``. DIR has to
be on the disk of PHOTOS: more photos are made by hard links. It takes room for the aligned faces of one run at a time.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq

from amgan.data.curation.files import photo_files
from amgan.processes import usable_cores

RESULTS = Path(__file__).parent / "results" / "curation.md"
# Seconds between two looks at the memory.
_TICK = 0.25
ENGINES = ("local", "ray")
# Seconds that processes have to end when the command was killed.
_GRACE = 180.0


@dataclass(frozen=True)
class Run:
    """One whole run.

    Attributes:
        engine: ``local`` or ``ray``.
        workers: Processes that look at photos.
        photos: How many.
        seconds: From the start of the command to its end, so with the start of workers and the report.
        total: Peak memory of all its processes together, MB; what they share is counted once.
        own: Peak memory of the command's own process, MB.
    """

    engine: str
    workers: int
    photos: int
    seconds: float
    total: float
    own: float


def link_photos(source: Path, folder: Path, copies: int, limit: int | None) -> int:
    """Makes a folder of hard links to the photos, each so many times; returns how many that are."""
    names = [file.name for file in photo_files(source) if not file.error][:limit]
    for copy in range(copies):
        for name in names:
            link = folder / f"copy-{copy}" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to((source / name).resolve())
    return copies * len(names)


@dataclass(frozen=True)
class Command:
    """The command that is measured.

    Attributes:
        source: Photos.
        engine: ``local`` or ``ray``.
        workers: Processes that look at photos.
        limits: A file of limits; None for those that ship.
    """

    source: Path
    engine: str
    workers: int
    limits: Path | None

    def into(self, folder: Path) -> list[str]:
        """As it is given for a result."""
        options = ["--engine", self.engine, "--workers", str(self.workers)]
        options += [] if self.limits is None else ["--limits", str(self.limits)]
        return [sys.executable, "-m", "amgan", "curate", str(self.source), str(folder), *options]


def started(arguments: list[str]) -> subprocess.Popen[bytes]:
    """Starts a command, in no cluster but its own."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)


def measured(command: Command, folder: Path, photos: int) -> Run:
    """Runs the command and looks at its memory all the while."""
    print(f"{command.engine}, {command.workers} workers, {photos} photos", file=sys.stderr)
    start = time.perf_counter()
    process = started(command.into(folder))
    total = own = 0.0
    while process.poll() is None:
        sizes = {pid: megabytes(pid) for pid in family(process.pid)}
        total, own = max(total, sum(sizes.values())), max(own, sizes[process.pid])
        time.sleep(_TICK)
    if process.returncode:
        raise SystemExit(f"amgan curate ended with {process.returncode}")
    return Run(command.engine, command.workers, photos, time.perf_counter() - start, total, own)


def family(pid: int) -> set[int]:
    """A process and all that it, and they, have started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended in this moment
            # The name, in brackets, may have blanks in it.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, size = {pid}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def megabytes(pid: int) -> float:
    """Memory of a process, MB; its part of what it shares with others."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def rows(folder: Path) -> list[str]:
    """The rows of a table as texts, in which a missing number is equal to itself."""
    table = pq.ParquetFile(folder / "faces.parquet")
    return [repr(row) for batch in table.iter_batches(1000) for row in batch.to_pylist()]


def check_whole(folder: Path, photos: int) -> None:
    """Ends the program unless each photo has one row."""
    names = pq.read_table(folder / "faces.parquet", columns=["path"]).column("path").to_pylist()
    if len(names) != photos or len(set(names)) != photos:
        raise SystemExit(f"{folder}: {len(names)} rows of {len(set(names))} photos, not {photos}")


def same(one: Path, other: Path) -> bool:
    """Whether two results have the same rows and the same faces, byte for byte."""
    faces = [{path.name: path.read_bytes() for path in (folder / "aligned").iterdir()} for folder in (one, other)]
    return rows(one) == rows(other) and faces[0] == faces[1]


def killed(command: Command, folder: Path, whole: Path, photos: int) -> str:
    """Kills the command when half of the faces are cut out, and gives it again; returns what was seen."""
    half = len(list((whole / "aligned").iterdir())) // 2
    process = started(command.into(folder))
    while len(list(folder.glob("aligned/*.png"))) < half:
        if process.poll() is not None:
            raise SystemExit("amgan curate ended before it could be killed; give it more photos")
        time.sleep(0.05)
    others = family(process.pid) - {process.pid}
    process.kill()
    process.wait()
    start = time.monotonic()
    while (left := sum(Path(f"/proc/{pid}").exists() for pid in others)) and time.monotonic() < start + _GRACE:
        time.sleep(0.05)
    gone = time.monotonic() - start
    faces = len(list(folder.glob("aligned/*.png")))
    process = started(command.into(folder))
    if process.wait():
        raise SystemExit(f"amgan curate ended with {process.returncode}")
    check_whole(folder, photos)
    verdict = "the same" if same(whole, folder) else "NOT THE SAME"
    return (
        f"- {command.engine}: killed at {faces} faces; {gone:.0f} s on {left} of its {len(others)} other processes "
        f"ran; given again: {photos} rows, each photo once, rows and faces {verdict}"
    )


def main() -> None:
    """Measures, and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--scratch", type=Path, required=True, help="a new folder on the same disk; removed at the end")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES, help="those to measure")
    parser.add_argument("--limit", type=int, help="of the photos, to try it")
    parser.add_argument("--copies", type=int, default=10, help="of each photo in the large folder; 1 for none")
    parser.add_argument("--limits", type=Path, help="as for amgan curate")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    scratch = options.scratch.resolve()
    scratch.mkdir()
    small, large = scratch / "small", scratch / "large"
    try:
        photos = link_photos(options.source, small, 1, options.limit)
        many = link_photos(options.source, large, options.copies, options.limit) if options.copies > 1 else 0
        whole, other = scratch / "whole", scratch / "other"
        runs = [measured(Command(small, "local", 1, options.limits), whole, photos)]
        check_whole(whole, photos)
        alike = []
        for engine, workers in itertools.product(options.engines, (1, 2)):
            if (engine, workers) != ("local", 1):
                runs.append(measured(Command(small, engine, workers, options.limits), other, photos))
                alike.append(same(whole, other))
                shutil.rmtree(other)
        stops = []
        for engine in options.engines:
            stops.append(killed(Command(small, engine, usable_cores(), options.limits), other, whole, photos))
            shutil.rmtree(other)
        for engine in options.engines if many else ():
            runs.append(measured(Command(large, engine, 2, options.limits), other, many))
            check_whole(other, many)
            shutil.rmtree(other)
    finally:
        shutil.rmtree(scratch)
    packages = (*(["ray"] if "ray" in options.engines else []), "mediapipe", "pyarrow")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines = [f"`python benchmarks/curation.py`: {usable_cores()} cores, {versions}\n"]
    lines += [
        "| engine | workers | photos | seconds | photos a second | peak memory, all processes, MB | the command, MB |"
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    for run in runs:
        speed = f"{run.seconds:.0f} | {run.photos / run.seconds:.1f}"
        lines.append(f"| {run.engine} | {run.workers} | {run.photos} | {speed} | {run.total:.0f} | {run.own:.0f} |")
    lines += [f"\nRows and faces of all runs on {photos} photos: {'the same' if all(alike) else 'NOT THE SAME'}.\n"]
    lines += [f"`kill -9` of the command at half of the faces, {usable_cores()} workers:\n", *stops, ""]
    options.out.write_text("\n".join(lines), encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
