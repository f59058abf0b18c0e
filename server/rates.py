"""How often may somebody ask? Token buckets by name: a minute's worth at once, and then as they refill. Pure.

Only so many names are remembered, those that asked last: whoever comes from a million addresses fills no memory.
"""

from collections import OrderedDict

__all__ = ["Rates"]


class Rates:
    """A bucket for each name.

    Args:
        per_minute: how many tokens a bucket holds, and gets back in a minute.
        most: names that are remembered; one that is forgotten has a full bucket again.
    """

    def __init__(self, per_minute: int, most: int = 10_000) -> None:
        self.per_minute, self.most = per_minute, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, now: float) -> float:
        """Take a token: 0, or, where there is none, how many seconds later there will be one.

        Args:
            name: whose bucket.
            now: seconds of a clock that is never set back.
        """
        held = self._held(name, now)
        if held < 1:
            return (1 - held) * 60 / self.per_minute
        self._keep(name, held - 1, now)
        return 0.0

    def give_back(self, name: str, now: float) -> None:
        """Put a token back that was taken for nothing."""
        self._keep(name, min(self.per_minute, self._held(name, now) + 1), now)

    def _held(self, name: str, now: float) -> float:
        tokens, at = self._buckets.get(name, (self.per_minute, now))
        return min(self.per_minute, tokens + (now - at) * self.per_minute / 60)

    def _keep(self, name: str, tokens: float, now: float) -> None:
        self._buckets[name] = (tokens, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
