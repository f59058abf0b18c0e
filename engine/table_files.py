"""Which files is a table made of? The `paths` of its definition: files, folders, and patterns of names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow.fs as pafs

from engine.errors import DataError
from engine.files import DataFile, list_files, open_filesystem
from engine.mltable import DEFINITION, TablePath

__all__ = ["TableFiles", "list_table"]

WILD = re.compile(r"[*?\[]")
TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]|.", re.DOTALL)
MEANING = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}


@dataclass(frozen=True)
class TableFiles:
    """The files of a table, by path, each once, and the file system that they are all in.

    Attributes:
        root: a URI from which a task opens the same file system; None is the local one.
    """

    files: tuple[DataFile, ...]
    filesystem: pafs.FileSystem
    root: str | None


def list_table(paths: Sequence[TablePath]) -> TableFiles | None:
    """The files of these paths; None where pyarrow cannot open them all in one file system, and Spark has to look.

    Raises:
        DataError: when one of the paths leads to nothing; it names it.
    """
    found: dict[str, DataFile] = {}
    filesystem, root = None, None
    for entry in paths:
        base, names = _parts(entry)
        opened = open_filesystem(base)
        if opened is None or (filesystem is not None and not opened[0].equals(filesystem)):
            return None
        filesystem = opened[0]
        root = None if isinstance(filesystem, pafs.LocalFileSystem) else base
        found |= {file.path: file for file in _files(entry, filesystem, opened[1], names)}
    if filesystem is None or not found:
        raise DataError(f"{paths[0].path}: there is no data file")
    return TableFiles(tuple(found[path] for path in sorted(found)), filesystem, root)


def _parts(entry: TablePath) -> tuple[str, str | None]:
    """Where a path begins, and the pattern of what is below; None for one without a pattern."""
    wild = WILD.search(entry.path) if entry.kind == "pattern" else None
    if wild is None:
        return entry.path, None
    base = entry.path[: entry.path.rindex("/", 0, wild.start())]
    return base or "/", entry.path[len(base) + 1 :]


def _files(entry: TablePath, filesystem: pafs.FileSystem, path: str, names: str | None) -> Iterator[DataFile]:
    if names is not None:
        return _matching(entry, filesystem, path.rstrip("/"), names)
    kind = filesystem.get_file_info(path).type
    if kind is pafs.FileType.Directory and entry.kind == "file":
        raise DataError(f"{entry.path}: is a folder, and the MLTable says file: say folder")
    if kind is pafs.FileType.File and entry.kind == "folder":
        raise DataError(f"{entry.path}: is a file, and the MLTable says folder: say file")
    return _data(list_files(path, filesystem))


def _matching(entry: TablePath, filesystem: pafs.FileSystem, base: str, names: str) -> Iterator[DataFile]:
    """Data files whose path fits a pattern: ``*``, ``?`` and ``[abc]`` within a name, ``**`` over folders."""
    fits = re.compile(re.escape(base) + "/" + "".join(map(_meaning, TOKEN.findall(names))))
    found = [file for file in list_files(base or "/", filesystem) if fits.fullmatch(file.path)]
    if not found:
        raise DataError(f"{entry.path}: no file has such a name")
    return _data(found)


def _data(files: Sequence[DataFile]) -> Iterator[DataFile]:
    return (file for file in files if not file.path.endswith(f"/{DEFINITION}"))


def _meaning(token: str) -> str:
    if len(token) > 1 and token.startswith("["):
        inside = token[1:-1].removeprefix("!")
        return ("[^" if token[1] == "!" else "[") + re.sub(r"([\\\[^])", r"\\\1", inside) + "]"
    return MEANING.get(token, re.escape(token))
