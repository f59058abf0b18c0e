"""A real disk that is full: a small file system of its own, and a file on it that takes all the room there is."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["PAGE", "SmallDisk", "small_disk"]

PAGE = 4096
LARGEST = 256 << 20
SHARED = Path("/dev/shm")


@dataclass(frozen=True)
class SmallDisk:
    """A file system of some megabytes.

    Attributes:
        folder: ours, on it.
    """

    folder: Path

    def fill(self, but: int = 0) -> None:
        """Take all the room that there is, but so many bytes."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            try:
                while ballast.write(bytes(16 * PAGE)):
                    pass
            except OSError:
                ballast.truncate(max(0, ballast.tell() - but))

    def make_room(self) -> None:
        """Give it back."""
        (self.folder / "ballast").unlink()


@contextmanager
def small_disk(megabytes: int = 24) -> Generator[SmallDisk]:
    """Mounted where that is allowed; in a container, where it is not, the one that containers have (64 MB)."""
    folder = Path(tempfile.mkdtemp(prefix="driftline-disk-"))
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        if mounted:
            yield SmallDisk(folder)
        elif SHARED.is_dir() and shutil.disk_usage(SHARED).total <= LARGEST:
            with tempfile.TemporaryDirectory(dir=SHARED) as shared:
                yield SmallDisk(Path(shared))
        else:
            pytest.skip("no small file system can be had here: see the tests with a limit of SQLite's and of files")
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
