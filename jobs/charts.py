"""Two distributions side by side in a terminal: the window's bar above the baseline's, bin by bin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.wording import percent, printable

__all__ = ["Bar", "bars_of", "chart_of", "length"]

WIDTH = 32
"""Characters of the longest bar."""
EIGHTHS = " ▏▎▍▌▋▊▉█"
MOST = 24
"""Bins that a chart shows; the ones that carry most."""
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


def chart_of(row: Mapping[str, Any]) -> RenderableType:
    """The chart of a drift row with its details opened, and what it leaves out."""
    bars = bars_of(row)
    largest = max((share for bar in bars for share in (bar.current, bar.baseline)), default=0.0)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("bin", overflow="fold", max_width=30)
    table.add_column(Text.assemble(("now", "bold cyan"), " above, baseline below"), no_wrap=True)
    table.add_column("carried", justify="right", no_wrap=True)
    for bar in bars:
        table.add_row(Text(bar.name, "bold"), _pair(bar, largest), _carried(bar))
    bins = len(row["details"]["contributions"]) + row["details"].get("more_contributions", 0)
    if bins == len(bars):
        return table
    together = percent(min(1.0, sum(bar.carried for bar in bars)))
    return Group(table, Text(f"the {len(bars)} that carry most of {bins:,} bins; {together} together", "dim"))


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


def _pair(bar: Bar, largest: float) -> Text:
    now, before = length(bar.current, largest), length(bar.baseline, largest)
    return Text.assemble(
        (now, "cyan"), (f"{' ' if now else ''}{percent(bar.current)}", "bold"), "\n",
        (before, "bright_black"), (f"{' ' if before else ''}{percent(bar.baseline)}", "dim"),
    )  # fmt: skip


def length(share: float, largest: float, width: int = WIDTH) -> str:
    """A bar to an eighth of a character; a share that is there is seen."""
    if not share or not largest:
        return ""
    eighths = max(1, round(8 * width * share / largest))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _carried(bar: Bar) -> Text:
    return Text(percent(bar.carried), "bold red" if bar.carried >= 0.2 else "") if bar.carried else Text("·", "dim")
