"""Two distributions side by side in a terminal: the window's bar above the baseline's, bin by bin."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.bars import Bar, bars_of
from engine.wording import percent

__all__ = ["chart_of", "length"]

WIDTH = 32
"""Characters of the longest bar."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


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
