"""Definitions as files again, for the processes that evaluate them: a folder like `conf/` for each state of a space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from server.desired import COMPONENTS, Desired

__all__ = ["Workspace", "monitor_file", "texts_of", "write_texts"]


@dataclass(frozen=True)
class Workspace:
    """Where definitions are written.

    Attributes:
        folder: each state of a space has a folder of its own in it, named by its content, that is never changed.
    """

    folder: Path

    def files(self, space: Desired, monitors: Sequence[str]) -> list[Path]:
        """The files of these monitors of a space, beside the models and assets that they name."""
        root = self._written(space)
        return [root / monitor_file(name) for name in monitors]

    def keep_only(self, spaces: Sequence[Desired], before: datetime) -> None:
        """Remove what is of no state of these spaces, and was written before that time: nothing starts by it now."""
        known = {_digest(texts_of(space)) for space in spaces}
        for place in self.folder.iterdir() if self.folder.exists() else ():
            if place.name not in known and place.stat().st_mtime < before.timestamp():
                rmtree(place, ignore_errors=True)

    def _written(self, space: Desired) -> Path:
        texts = texts_of(space)
        root = self.folder / _digest(texts)
        if not root.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Beside it first: a process that is killed here, or another one that does the same, leaves a whole one.
            new = Path(mkdtemp(prefix=".new-", dir=self.folder))
            try:
                write_texts(new, texts)
            except OSError:  # a full disk, which is not to be filled with halves
                rmtree(new, ignore_errors=True)
                raise
            try:
                new.rename(root)
            except OSError:
                rmtree(new, ignore_errors=True)
        return root


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder; the folder of components becomes a link to where it is."""
    if COMPONENTS in texts:  # without assets or models nothing else would say that this is the root that it belongs to
        (folder / "models").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == COMPONENTS:
            path.unlink(missing_ok=True)
            path.symlink_to(text, target_is_directory=True)
        else:
            path.write_text(text, encoding="utf-8")


def texts_of(space: Desired) -> dict[str, str]:
    """What the space is as files in a folder like `conf/`, by their paths in it."""
    return {
        **{monitor_file(name): each.text for name, each in space.monitors.items()},
        **{f"models/{name}.yaml": each.text for name, each in space.models.items()},
        **{path: each.text for path, each in space.library.items()},
    }


def monitor_file(name: str) -> str:
    """Where a monitor stands in a folder like `conf/`."""
    return f"monitors/{name}.yaml"


def _digest(texts: Mapping[str, str]) -> str:
    digest = blake2b(digest_size=12)
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\x00{text}\x00".encode())
    return digest.hexdigest()
