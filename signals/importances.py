"""How much each feature matters to a model, as shares of all that matters."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ATTRIBUTIONS", "SURROGATE", "Importances", "ranks_of", "shares_of"]

SURROGATE, ATTRIBUTIONS = "surrogate", "attributions"


@dataclass(frozen=True, slots=True)
class Importances:
    """How much each feature of a dataset matters.

    Attributes:
        shares: by feature its share of all importance, in [0, 1]; all 0 where none matters.
        rows: how many rows they stand on; of a surrogate those of its sample.
        method: how they were come by: ``surrogate`` or ``attributions``.
        target: what the features explain; None for attributions.
        explained: the share of the target's variance that the surrogate explains; None for attributions.
    """

    shares: Mapping[str, float]
    rows: int
    method: str
    target: str | None = None
    explained: float | None = None

    def top(self, count: int) -> list[str]:
        """The names of so many features, the most important first; of equal ones the first by name."""
        return sorted(self.shares, key=lambda name: (-self.shares[name], name))[:count]


def shares_of(importances: Mapping[str, float]) -> dict[str, float]:
    """Importances (0 or more, in any unit) as shares of their sum; all 0 where nothing matters."""
    greatest = max(importances.values(), default=0.0) or 1.0
    scaled = {name: value / greatest for name, value in importances.items()}  # a sum of huge ones would overflow
    total = sum(scaled.values()) or 1.0
    return {name: value / total for name, value in scaled.items()}


def ranks_of(importances: Mapping[str, float]) -> dict[str, int]:
    """1 for the most important; features that matter alike share a rank."""
    return {name: 1 + sum(other > value for other in importances.values()) for name, value in importances.items()}
