"""A drift by its bins: what share of the rows each has now and had before, and what it carries of the distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.wording import printable

__all__ = ["Bar", "bars_of"]

MOST = 24
"""Bins that are shown; the ones that carry most."""
POWERS = {
    "hellinger_distance": 2,
    "jensen_shannon_distance": 2,
    "normalized_wasserstein_distance": 1,
    "population_stability_index": 1,
    "total_variation_distance": 1,
}
"""Metrics whose bins' terms, none of them negative, sum up to this power of the value."""


@dataclass(frozen=True)
class Bar:
    """One bin: its share of the window's rows and of the baseline's, and its share of the whole distance.

    Attributes:
        name: the bin's.
        current, baseline: shares of the rows, in [0, 1].
        carried: its term over the sum of all terms; where terms may be negative, of their sizes, as far as stored.
    """

    name: str
    current: float
    baseline: float
    carried: float


def bars_of(row: Mapping[str, Any]) -> list[Bar]:
    """The bins that carry most, at most `MOST`: intervals from low to high, categories by what they carry."""
    details = row["details"]
    whole = _whole(row)
    bars = [
        Bar(printable(name), current, baseline, abs(term) / whole if whole else 0.0)
        for name, current, baseline, term in details["contributions"]
    ][:MOST]
    if "edges" in details and "bins" in details:
        place = {printable(name): number for number, name in enumerate(details["bins"])}
        bars.sort(key=lambda bar: place.get(bar.name, len(place)))
    return bars


def _whole(row: Mapping[str, Any]) -> float:
    """The sum of all terms, also of those that are not stored, as far as the value tells it."""
    listed = sum(abs(term) for *_, term in row["details"]["contributions"])
    power = POWERS.get(row["metric_name"])
    if power is None or row["metric_value"] is None or not row["details"].get("more_contributions"):
        return listed
    return max(listed, row["metric_value"] ** power)
