"""How a task opens a file of the collector, and the payloads that its events refer to."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from typing import Any, cast
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.fs as pafs

from engine.collector.lines import read_line
from engine.collector.payloads import read_payload
from engine.collector.troubles import Trouble, TroubleError
from engine.files import DataFile
from engine.spark import UNREADABLE

__all__ = ["Folder", "Opener", "is_collection"]

BYTES_AT_ONCE = 1 << 20
LINES_TRIED, FILES_TRIED = 5, 10
"""A collection is known by its first event; before that there may be broken lines, or a file of something else."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a collection is.

    Attributes:
        uri: from which its file system is opened; None is the local one.
        path: its folder there.
    """

    uri: str | None
    path: str


class Opener:
    """Opens the files of one collection."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._filesystem = pafs.FileSystem.from_uri(folder.uri)[0] if folder.uri else pafs.LocalFileSystem()

    def lines(self, path: str) -> Iterator[bytes]:
        """The lines of a file; one that is named ``.gz``, ``.bz2`` or ``.zst`` is unpacked.

        Raises:
            RuntimeError: when it cannot be opened; `engine.spark.collect` knows it.
            OSError: when it cannot be read to its end.
        """
        try:
            stream = self._filesystem.open_input_stream(path)
        except (OSError, pa.ArrowException) as error:
            raise RuntimeError(f"{UNREADABLE}{path}: {str(error).splitlines()[0]}") from error
        with stream, BufferedReader(cast("Any", stream), BYTES_AT_ONCE) as reader:
            yield from reader

    def payload(self, reference: str, beside: str) -> tuple[str, object]:
        """The path of a payload, and what it holds.

        Args:
            reference: an absolute path or URL, or a path from the folder of the line's file or from the collection's.
            beside: the line's file.

        Raises:
            TroubleError: when it cannot be opened, or is no JSON.
        """
        try:
            for path in self._paths(reference, beside):
                if self._filesystem.get_file_info(path).is_file:
                    with self._filesystem.open_input_stream(path) as stream:
                        return path, read_payload(stream.read())
        except (OSError, pa.ArrowException, ValueError, RecursionError) as error:
            raise TroubleError(Trouble.REFERENCE, f"{reference}: {str(error).splitlines()[0]}") from error
        raise TroubleError(Trouble.REFERENCE, f"{reference}: no such file")

    def _paths(self, reference: str, beside: str) -> list[str]:
        address, local = urlparse(reference), self._folder.uri is None
        if len(address.scheme) <= 1:  # one letter is a Windows drive
            paths = [posixpath.join(folder, reference) for folder in (posixpath.dirname(beside), self._folder.path)]
            return list(dict.fromkeys(map(posixpath.normpath, paths)))
        if address.scheme == "file" and local:
            return [unquote(address.path)]
        own = urlparse(self._folder.uri or "")
        if (own.scheme, own.netloc) == (address.scheme, address.netloc):
            return [pafs.FileSystem.from_uri(reference)[1]]
        raise TroubleError(Trouble.REFERENCE, f"{reference}: no address of the storage that the collection is in")


def is_collection(filesystem: pafs.FileSystem, files: Sequence[DataFile]) -> bool:
    """Whether these JSON files hold CloudEvents, as their first lines tell."""
    for file in islice((file for file in files if file.size), FILES_TRIED):
        for line in _first_lines(filesystem, file.path):
            try:
                if read_line(line) is not None:
                    return True
            except TroubleError:
                continue
    return False


def _first_lines(filesystem: pafs.FileSystem, path: str) -> list[bytes]:
    try:
        with filesystem.open_input_stream(path) as stream, BufferedReader(cast("Any", stream)) as reader:
            return [*islice(reader, LINES_TRIED)]
    except (OSError, pa.ArrowException):  # told when the file is read
        return []
