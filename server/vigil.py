"""Who has died? Whoever's sign of life has not changed for long enough, while somebody looked.

Nobody compares clocks: each looks by its own, one that nobody can set. So a clock that is wrong, or is put right, on
any machine takes no run from one that lives. Pure; time is handed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from server.queue import Sign

__all__ = ["Vigil"]


@dataclass
class Vigil:
    """What one process has seen of the others."""

    _since: dict[Sign, float] = field(default_factory=dict[Sign, float])

    def lapsed(self, signs: Iterable[Sign], elapsed: float, patience: float) -> list[Sign]:
        """Of the signs that there are now, those that have been the same for so many seconds."""
        self._since = {sign: self._since.get(sign, elapsed) for sign in signs}
        return [sign for sign, since in self._since.items() if elapsed - since >= patience]
