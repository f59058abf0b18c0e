"""Reads monitors from files, folders and mappings, and says everything that is wrong with them at once."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.definitions.assembly import assemble
from engine.definitions.document import Document, read_document
from engine.definitions.library import Library, is_yaml, library_root, read_library
from engine.errors import DefinitionError, Problem
from engine.monitor import Monitor

__all__ = ["load_all", "load_monitor", "monitor_from"]

MODEL_KEYS = frozenset({"model_inputs", "model_outputs", "model_inputs_outputs", "endpoint_deployment_ids"})


def load_monitor(path: Path) -> Monitor:
    """Read one monitor file, with the models and assets it names.

    Raises:
        DefinitionError: with every problem at once.
    """
    document = read_document(_absolute(path), _naming(path)(path))
    library = read_library(library_root(document.folder), _naming(path))
    return _sound(*assemble(document, library, _absolute(path)), library)


def monitor_from(definition: Mapping[str, Any], base: Path) -> Monitor:
    """Read a monitor from a mapping in the same schema; relative paths are relative to `base`.

    Raises:
        DefinitionError: with every problem at once.
    """
    document = Document("definition", _absolute(base), dict(definition))
    library = read_library(library_root(document.folder), _naming(base))
    return _sound(*assemble(document, library, None), library)


def load_all(paths: Sequence[Path]) -> tuple[list[Monitor], list[Problem]]:
    """Read all monitors of these files and folders (and theirs), sorted by file; raises nothing.

    Models and assets among the files are checked too. Which file is which is told by its folder and its keys.
    """
    gathered = _Gathered()
    for path in paths:
        found = sorted(file for file in path.rglob("*") if _is_ours(file, path)) if path.is_dir() else [path]
        for file in found:
            gathered.add(file)
    return gathered.monitors, sorted(gathered.problems)


def _is_ours(file: Path, folder: Path) -> bool:
    return is_yaml(file) and file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)


class _Gathered:
    """What several files hold together."""

    def __init__(self) -> None:
        self.monitors: list[Monitor] = []
        self.problems: set[Problem] = set()
        self._files: set[Path] = set()
        self._names: dict[str, str] = {}
        self._libraries: dict[Path, Library] = {}

    def add(self, file: Path) -> None:
        """Read one file, unless it has been read."""
        path = _absolute(file)
        if path in self._files:
            return
        self._files.add(path)
        document = read_document(path, _naming(file)(file))
        library = self._library(file, document)
        if path.stem == "assets" or "assets" in (document.data or {}) or self._is_model(path, document):
            self._add_library_file(document, library)
        elif document.data is None:
            self.problems.update(document.problems)
        elif {"trigger", "create_monitor"} & document.data.keys() or path.parent.name == "monitors":
            self._add_monitor(document, library, path)
        else:
            hint = "a monitor has trigger and create_monitor, a model stands in models/, and assets in assets.yaml"
            self.problems.add(Problem(document.file, "", "is neither a monitor, nor a model, nor assets", hint))

    def _library(self, file: Path, document: Document) -> Library:
        root = library_root(document.folder)
        if root not in self._libraries:
            self._libraries[root] = read_library(root, _naming(file))
        return self._libraries[root]

    def _is_model(self, path: Path, document: Document) -> bool:
        data = document.data or {}
        return "create_monitor" not in data and ("models" in path.parts or bool(MODEL_KEYS & data.keys()))

    def _add_library_file(self, document: Document, library: Library) -> None:
        if document.file not in library.files:
            hint = "assets.yaml stands beside the folder models/, and models in it"
            self.problems.add(Problem(document.file, "", "is not where models or assets are looked for", hint))
        self.problems.update(problem for problem in library.problems if problem.file == document.file)

    def _add_monitor(self, document: Document, library: Library, path: Path) -> None:
        monitor, problems = assemble(document, library, path)
        self.problems.update(problems)
        if problems:
            self.problems.update(library.problems)
        name = (document.data or {}).get("name")
        first = self._names.setdefault(str(name), document.file)
        if first != document.file:
            self.problems.add(document.problem(("name",), f"the monitor {name!r} is in {first} already"))
        elif monitor:
            self.monitors.append(monitor)


def _absolute(path: Path) -> Path:
    """The path from the root, without dots; links stay as they are, since what stands beside them is meant."""
    return Path(os.path.normpath(path.absolute()))


def _sound(monitor: Monitor | None, problems: list[Problem], library: Library) -> Monitor:
    if monitor is None:
        # A name that is unknown here may be one whose file is broken.
        raise DefinitionError(sorted({*problems, *library.problems}))
    return monitor


def _naming(first: Path) -> Callable[[Path], str]:
    """Calls files as the user called the first: relative to the working folder, or absolute."""
    return (lambda path: str(_absolute(path))) if first.is_absolute() else os.path.relpath
