"""Is the scheduler at work? What its last step was."""

from dataclasses import dataclass, field
from datetime import datetime

from server.due import Timetable
from server.loaded import Loaded

__all__ = ["Pulse"]


@dataclass
class Pulse:
    """When the scheduler last did a step, whether that went well, and what it watches."""

    at: datetime | None = None
    well: bool = False
    timetable: Timetable | None = field(default=None, repr=False)
    loaded: Loaded = field(default_factory=Loaded, repr=False)

    def beat(self, at: datetime, *, well: bool) -> None:
        """A step was done."""
        self.at, self.well = at, well
