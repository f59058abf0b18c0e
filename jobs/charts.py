"""Two distributions side by side in a terminal: the window's bar above the baseline's, bin by bin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobs.wording import percent, plural

__all__ = ["Bar", "bars_of", "chart_of"]

WIDTH = 32
"""Characters of the longest bar."""
EIGHTHS = " ▏▎▍▌▋▊▉█"
MOST = 24
"""Bins that a chart shows; the ones that carry most."""


@dataclass(frozen=True)
class Bar:
    """One bin: its share of the window's rows and of the baseline's, and its share of the whole distance.

    Attributes:
        name: the bin's.
        current, baseline: shares of the rows, in [0, 1].
        carried: its term over the sum of all listed terms (of their sizes, where some are negative).
    """

    name: str
    current: float
    baseline: float
    carried: float


def chart_of(details: Mapping[str, Any]) -> RenderableType:
    """The chart of a drift row's details, and what it leaves out."""
    bars = bars_of(details)
    largest = max((share for bar in bars for share in (bar.current, bar.baseline)), default=0.0)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("bin", overflow="fold", max_width=30)
    table.add_column(Text.assemble(("now", "bold cyan"), " above, baseline below"), no_wrap=True)
    table.add_column("carried", justify="right", no_wrap=True)
    for bar in bars:
        table.add_row(Text(bar.name, "bold"), _pair(bar, largest), _carried(bar))
    left_out = _left_out(details, len(bars))
    return Group(table, Text(left_out, "dim")) if left_out else table


def bars_of(details: Mapping[str, Any]) -> list[Bar]:
    """The bins that carry most, at most `MOST`: intervals from low to high, categories by what they carry."""
    contributions: Sequence[Sequence[Any]] = details["contributions"]
    whole = sum(abs(term) for *_, term in contributions)
    bars = [
        Bar(name, current, baseline, abs(term) / whole if whole else 0.0)
        for name, current, baseline, term in contributions
    ][:MOST]
    if "edges" in details and "bins" in details:
        place = {name: number for number, name in enumerate(details["bins"])}
        bars.sort(key=lambda bar: place.get(bar.name, len(place)))
    return bars


def _pair(bar: Bar, largest: float) -> Text:
    now, before = _length(bar.current, largest), _length(bar.baseline, largest)
    return Text.assemble(
        (now, "cyan"), (f"{' ' if now else ''}{percent(bar.current)}", "bold"), "\n",
        (before, "bright_black"), (f"{' ' if before else ''}{percent(bar.baseline)}", "dim"),
    )  # fmt: skip


def _length(share: float, largest: float) -> str:
    """A bar to an eighth of a character; a share that is there is seen."""
    if not share or not largest:
        return ""
    eighths = max(1, round(8 * WIDTH * share / largest))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _carried(bar: Bar) -> Text:
    return Text(percent(bar.carried), "bold red" if bar.carried >= 0.2 else "") if bar.carried else Text("·", "dim")


def _left_out(details: Mapping[str, Any], shown: int) -> str:
    listed, more = len(details["contributions"]), details.get("more_contributions", 0)
    if more:
        return (
            f"the {shown} that carry most of {plural(listed + more, 'bin')}; percentages are of the sum of the "
            f"{listed} that are stored"
        )
    return f"the {shown} that carry most of {plural(listed, 'bin')}" if listed > shown else ""
