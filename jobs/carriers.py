"""Which values of a column carried a shift, as a sentence and a table with bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.wording import listed, number, percent, printable
from jobs.charts import length

__all__ = ["Part", "Split", "legend_of", "print_splits", "splits_of", "table_of"]

WIDTH = 20
"""Characters of the longest bar."""
MUCH = 0.1
"""A share of the shift that is worth a sentence, where it is out of proportion to the rows."""
OUT_OF_PROPORTION = 1.5
NOTHING = 0.001
"""A smaller share of the shift is shown as a dot."""
LEGEND = "mix: it has more or fewer of the rows; within: its own rows changed; negative: against the shift"


@dataclass(frozen=True, slots=True)
class Part:
    """What one value carried: shares of the shift, and its rows now and before."""

    value: str
    share: float
    mix: float
    within: float
    now: int
    before: int


@dataclass(frozen=True)
class Split:
    """What the values of one dimension carried.

    Attributes:
        dimension: the column.
        parts: its values, the largest share first.
        rest: what all others carried together; None where there are none.
        own: by value the metric of its rows alone, as far as it is known.
        reason: why the shift is not split; None where it is.
    """

    dimension: str
    parts: Sequence[Part] = ()
    rest: Part | None = None
    own: Mapping[str, float] = field(default_factory=dict[str, float])
    reason: str | None = None


def splits_of(details: Mapping[str, Any]) -> dict[str, Split]:
    """The splits that are stored with a row, by dimension."""
    rests: Mapping[str, Any] = details.get("carried_by_rest", {})
    parts: dict[str, list[Part]] = {name: [] for name in rests}
    for dimension, *rest in details.get("carried_by", []):
        parts.setdefault(dimension, []).append(Part(*rest))
    found = {name: Split(name, mine, _rest(rests.get(name))) for name, mine in parts.items()}
    return found | {name: Split(name, reason=why) for name, why in details.get("not_carried_by", {}).items()}


def _rest(stored: Sequence[Any] | None) -> Part | None:
    """How many they are is stored first."""
    return Part("", *stored[1:]) if stored else None


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
    heading = Text.assemble("by ", (split.dimension, "bold"), ": ", _sentence(split, *rows))
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


# ------------------------------------------------------------------------------------------------------ who stands out


def _sentence(split: Split, now: int, before: int) -> Text:
    """The values that carried more than their part of the rows, or that the shift is spread like the rows."""
    loud = [
        part for part in split.parts if part.share >= MUCH and part.share > OUT_OF_PROPORTION * part.now / max(1, now)
    ]
    against = [printable(part.value) for part in split.parts if part.share <= -MUCH]
    said = [_said(part, now, before) for part in loud[:3]]
    if not said and not against:
        return Text("no value stands out: each carried about as much of the shift as it has of the rows")
    if against:
        said.append(f"{listed(against)} worked against it")
    return Text("; ".join(said))


def _said(part: Part, now: int, before: int) -> str:
    here, there = part.now / max(1, now), part.before / max(1, before)
    carried = f"{printable(part.value)} carried {percent(part.share)}"
    if not part.before:
        return f"{carried} and is new, with {percent(here)} of the rows"
    if not part.now:
        return f"{carried}: it is gone, and had {percent(there)} of the rows"
    if abs(part.mix) > abs(part.within):
        return f"{carried}: it has {percent(here)} of the rows, and had {percent(there)}"
    return f"{carried} with {percent(here)} of the rows"
