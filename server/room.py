"""Is there room where runs write? Without it none is started: it would fail, and fail again, until nobody tries."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DriftlineError

__all__ = ["NoRoomError", "Room"]


class NoRoomError(DriftlineError):
    """A disk is full, or nearly so."""


@dataclass(frozen=True)
class Room:
    """Disks that runs need.

    Attributes:
        places: what is on them, by what it is called; it need not be there yet.
        least: bytes that have to be free.
    """

    places: Mapping[str, Path]
    least: int = 100_000_000

    def look(self) -> None:
        """Look at each.

        Raises:
            NoRoomError: one has none.
            OSError: one cannot be looked at.
        """
        for name, place in self.places.items():
            disk = next(each for each in (place, *place.parents) if each.exists())
            found = os.statvfs(disk)
            if found.f_bavail * found.f_frsize < self.least:
                raise NoRoomError(
                    f"the disk of the {name} is full: less than {self.least:,} bytes are free at {place}; "
                    "runs wait until there is room"
                )
