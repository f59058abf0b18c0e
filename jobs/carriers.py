"""Which values of a column carried a shift, as a sentence and a table with bars."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.splits import Part, Split, sentence_of
from engine.wording import number, percent, printable
from jobs.charts import length

__all__ = ["legend_of", "print_splits", "table_of"]

WIDTH = 20
"""Characters of the longest bar."""
NOTHING = 0.001
"""A smaller share of the shift is shown as a dot."""
LEGEND = "mix: it has more or fewer of the rows; within: its own rows changed; negative: against the shift"


def print_splits(console: Console, splits: Sequence[Split]) -> None:
    """A table per dimension, and why others are not split."""
    reasons: dict[str, list[str]] = {}
    for split in splits:
        if split.reason:
            reasons.setdefault(split.reason, []).append(split.dimension)
            continue
        console.print()
        console.print(table_of(split))
    for reason, names in reasons.items():
        console.print(Text.assemble("by ", (", ".join(names), "bold"), ": not split: ", (reason, "yellow")))


def legend_of(splits: Sequence[Split]) -> Text:
    """What the columns of the tables mean; empty where there is no table."""
    if all(split.reason for split in splits):
        return Text()
    return Text(LEGEND + ("; alone: the metric of its rows only" if any(split.own for split in splits) else ""), "dim")


def table_of(split: Split) -> RenderableType:
    """A sentence on who stands out, and every value with its bar; those that carried nothing together."""
    every = [*split.parts, *([split.rest] if split.rest else [])]
    rows = sum(part.now for part in every), sum(part.before for part in every)
    largest = max((abs(part.share) for part in every), default=0.0)
    named, others = _folded(split)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(Text(split.dimension), overflow="fold", max_width=30)
    table.add_column("share of the shift", no_wrap=True)
    for name in ("mix", "within", "rows now", "before", *(["alone"] if split.own else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for part in named:
        own = [number(split.own.get(part.value))] if split.own else []
        table.add_row(Text(printable(part.value), "bold"), *_cells(part, largest, rows), *own)
    if others:
        table.add_row(Text("all others", "dim"), *_cells(others, largest, rows), *(["–"] if split.own else []))
    heading = Text.assemble("by ", (split.dimension, "bold"), ": ", sentence_of(split))
    return Group(heading, table)


def _folded(split: Split) -> tuple[list[Part], Part | None]:
    """The values to be named, and what all others carried together."""
    quiet = [part for part in split.parts if max(abs(part.share), abs(part.mix), abs(part.within)) < NOTHING]
    if len(quiet) < 2 and not split.rest:
        return [*split.parts], None
    others = [*quiet, split.rest] if split.rest else quiet
    return [part for part in split.parts if part not in quiet], _together(others)


def _together(parts: Sequence[Part]) -> Part:
    return Part(
        "",
        sum(part.share for part in parts),
        sum(part.mix for part in parts),
        sum(part.within for part in parts),
        sum(part.now for part in parts),
        sum(part.before for part in parts),
    )


def _cells(part: Part, largest: float, rows: tuple[int, int]) -> list[Text]:
    style = "yellow" if part.share < 0 else "cyan"
    bar = length(abs(part.share), largest, WIDTH) if abs(part.share) >= NOTHING else ""
    return [
        Text.assemble((bar, style), (f"{' ' if bar else ''}{_signed(part.share)}", "bold")),
        Text(_signed(part.mix)),
        Text(_signed(part.within)),
        *(_rows(count, total) for count, total in zip((part.now, part.before), rows, strict=True)),
    ]


def _rows(count: int, total: int) -> Text:
    return Text.assemble(f"{count:,}", (f" {percent(count / total if total else 0.0):>7}", "dim"))


def _signed(share: float) -> str:
    return "·" if abs(share) < NOTHING else f"{'−' if share < 0 else ''}{percent(abs(share))}"
