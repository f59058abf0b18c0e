"""Which files does a path hold, and did they change?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.fs as pafs

from engine.errors import DataError
from engine.partitions import partition_values

__all__ = ["DataFile", "fingerprint", "list_files", "open_filesystem"]

HIDDEN = re.compile(r"(^|/)[_.]")


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a dataset.

    Attributes:
        path: where it is in its file system.
        partitions: what its folders say of its rows.
        size: bytes.
        modified: nanoseconds since 1970 UTC when it was last written; 0 for a file that is never written again.
        bounds: the least and the greatest value of columns, where a table's log tells them.
    """

    path: str
    partitions: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    size: int = 0
    modified: int = 0
    bounds: Mapping[str, tuple[object, object]] = field(default_factory=dict[str, tuple[object, object]])


def open_filesystem(path: str) -> tuple[pafs.FileSystem, str] | None:
    """The file system and the path in it; None where pyarrow cannot open it, and Spark may."""
    scheme = urlparse(path).scheme
    if scheme in ("", "file") or len(scheme) == 1:  # one letter is a Windows drive
        local = unquote(urlparse(path).path) if scheme == "file" else path
        return pafs.LocalFileSystem(), local
    try:
        filesystem, inside = pafs.FileSystem.from_uri(path)
        filesystem.get_file_info(inside)
    except (pa.ArrowException, OSError, ValueError):
        return None
    return filesystem, inside


def list_files(path: str, filesystem: pafs.FileSystem, suffixes: Sequence[str] = ()) -> list[DataFile]:
    """All data files at a path or below it, in order; names that begin with ``_`` or ``.`` are not data.

    Raises:
        DataError: when there is nothing there.
    """
    info = filesystem.get_file_info(path)
    if info.type is pafs.FileType.NotFound:
        raise DataError(f"{path}: no such file or folder")
    if info.type is pafs.FileType.File:
        return [DataFile(info.path, partition_values(info.path), info.size or 0, _age(info))]
    root = info.path.rstrip("/")
    found = [entry for entry in filesystem.get_file_info(pafs.FileSelector(root, recursive=True)) if entry.is_file]
    inside = {entry.path[len(root) + 1 :]: entry for entry in found}
    files = [
        DataFile(entry.path, partition_values(relative), entry.size or 0, _age(entry))
        for relative, entry in inside.items()
        if not HIDDEN.search(relative) and (not suffixes or relative.lower().endswith(tuple(suffixes)))
    ]
    if not files:
        raise DataError(f"{path}: the folder holds no data files" + (f" ({', '.join(suffixes)})" if suffixes else ""))
    return sorted(files, key=lambda file: file.path)


def _age(info: pafs.FileInfo) -> int:
    return info.mtime_ns or 0


def fingerprint(files: Sequence[DataFile]) -> str:
    """Text that changes when a file comes, goes, or is written again."""
    digest = blake2b(digest_size=8)
    for file in files:
        digest.update(f"{file.path}\x00{file.size}\x00{file.modified}\x00".encode())
    return f"files:{len(files)}:{digest.hexdigest()}"
