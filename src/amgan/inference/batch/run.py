"""A batch: what is finished already is left alone, the rest is aged, and every result gets its name whole or not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from amgan import __version__
from amgan.errors import OutputError, RequestError
from amgan.faces.output import check_output
from amgan.faces.paths import is_file
from amgan.inference.batch.recipes import Recipe
from amgan.inference.batch.results import AGED, FAILED, Result, Results
from amgan.inference.batch.worker import Settings, Task, run_tasks
from amgan.models.bundle import fingerprint, load_bundle_schema

# Results lie in it until they get their names.
ASIDE = ".amgan-batch"


class Batch:
    """One run into a folder of results. At most one may be at work in a folder at a time.

    Args:
        recipes: What is wanted.
        folder: The folder of results, made if missing.
        settings: What is the same for all photos.
        overwrite: Whether files that are no finished result of these very recipes may be replaced.

    Attributes:
        finished: How many results were there already.
        tasks: What is left to do.
        results: The table.

    Raises:
        OutputError: The folder cannot be used.
        RequestError: A result would replace a photo that is to be aged.
        WeightsError: The model is missing or malformed.
    """

    def __init__(self, recipes: list[Recipe], folder: Path, settings: Settings, overwrite: bool = False) -> None:
        self.folder, self.settings, self.overwrite = folder, settings, overwrite
        # `Path.resolve` raises on a link to itself, which is one photo's fault and not the batch's.
        photos = {os.path.realpath(recipe.photo) for recipe in recipes}
        for recipe in recipes:
            if os.path.realpath(folder / recipe.out) in photos:
                raise RequestError(f"{recipe.origin}: its result would replace a photo; choose another folder or name")
        shared = _shared_digest(settings)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._clear_aside()
        except OSError as error:
            raise OutputError(f"{folder}: cannot be used ({error.strerror}); choose another folder") from error
        self.results = Results(folder)
        self.order = [recipe.out for recipe in recipes]
        self.finished, self.tasks = 0, []
        for index, recipe in enumerate(recipes):
            aside = folder / ASIDE / f"{index}{Path(recipe.out).suffix}"
            task = Task(recipe, _digest(recipe, shared), aside)
            known = self._there(recipe.out)
            if known is not None and known.recipe == task.digest:
                self.finished += 1
                if known.status == FAILED:  # something else was asked for in between, in vain
                    self.results.add(dataclasses.replace(known, status=AGED, error=""))
            else:
                self.tasks.append(task)

    def run(self, workers: int, report: Callable[[Result], None]) -> None:
        """Ages what is left, and leaves the table in the recipes' order.

        Args:
            workers: Number of processes; one is this process.
            report: Called with each result.

        Raises:
            OutputError: A result cannot be written; what is done stays.
            WeightsError: The model is damaged.
        """
        possible = []
        try:
            for task in self.tasks:
                if task.recipe.error:
                    report(self._fail(task, task.failed(f"{task.recipe.photo}: {task.recipe.error}")))
                    continue
                try:
                    check_output(self.folder / task.recipe.out, self.overwrite)
                    possible.append(task)
                except OutputError as error:
                    report(self._fail(task, task.failed(str(error))))
            if possible:
                (self.folder / ASIDE).mkdir(exist_ok=True)
                workers = min(workers, len(possible))
                run_tasks(self.settings, possible, workers, lambda task, result: report(self._publish(task, result)))
        finally:
            self.results.arrange(self.order)
            self._clear_aside()

    def _publish(self, task: Task, result: Result) -> Result:
        """Writes a result down and gives its picture its name."""
        if result.status == FAILED:
            return self._fail(task, result)
        target = self.folder / result.out
        try:
            check_output(target, self.overwrite)  # someone may have made the file in the meantime
        except OutputError as error:
            return self._fail(task, task.failed(str(error)))
        replaced, earlier = task.aside.with_suffix(".replaced"), self.results.known.get(result.out)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # In this order a kill at any point leaves either no file or one that the table knows as finished.
            if os.path.lexists(target):
                target.replace(replaced)
            self.results.add(result)
            task.aside.replace(target)
        except BaseException as error:  # Ctrl-C too
            if task.aside.exists():  # it has not got its name
                self._put_back(result.out, replaced, earlier)
            if isinstance(error, OSError):
                raise OutputError(f"{target}: cannot be written ({error.strerror}); what is done stays") from error
            raise
        replaced.unlink(missing_ok=True)
        return result

    def _put_back(self, out: str, replaced: Path, earlier: Result | None) -> None:
        """Undoes half a `_publish`: the file that was there, and what the table said of it."""
        if os.path.lexists(replaced):
            replaced.replace(self.folder / out)
        self.results.known.pop(out, None)
        if earlier is not None:
            self.results.known[out] = earlier

    def _fail(self, task: Task, result: Result) -> Result:
        """Writes a failure down, beside what is known of an earlier result that is still there."""
        earlier = self._there(task.recipe.out)
        if earlier is not None:
            result = dataclasses.replace(earlier, status=FAILED, error=result.error)
        self.results.add(result)
        return result

    def _there(self, out: str) -> Result | None:
        """What is known of a file that an earlier run made."""
        known = self.results.known.get(out)
        return known if known is not None and known.recipe and is_file(self.folder / out) else None

    def _clear_aside(self) -> None:
        if (self.folder / ASIDE).is_dir():
            for left_over in (self.folder / ASIDE).iterdir():
                left_over.unlink()
            (self.folder / ASIDE).rmdir()


def _shared_digest(settings: Settings) -> str:
    """What all results of a run depend on."""
    population = settings.population and settings.population.model_dump_json()
    model = fingerprint(load_bundle_schema(settings.model))
    values = [__version__, model, str(settings.face_model), settings.precision, population, settings.seed]
    return json.dumps(values)


def _digest(recipe: Recipe, shared: str) -> str:
    """A short hash of everything that a result depends on."""
    photo: list[int] = []
    try:
        status = recipe.photo.stat()
        photo = [status.st_size, status.st_mtime_ns]
    except OSError:  # what is wrong with it is told when it is read
        pass
    values = [shared, recipe.name, photo, dataclasses.asdict(recipe.request)]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
