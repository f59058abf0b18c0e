"""Does cost grow with new data, and not with windows, monitors or segments? Ratios of CPU, each in one Spark.

    python benchmarks/read_once.py [--rows ROWS] [--rounds ROUNDS] [NAME ...]

The data are 60 days of 200,000 rows, 20 doubles and 5 strings. Every measured evaluation has its bins frozen, and
begins with a copy of a prepared store, so that a round leaves nothing to the next.

* ``daily``: a run with a 30-day window and a 30-day moving baseline of which one bucket is new, beside one with a
  1-day window: rows read, and wall time;
* ``backfill``: 60 daily windows in a new store, beside one scan that profiles all of the data in one bucket;
* ``segments``: 50 monitors, each of one value of a column of 50; and 10 overlapping filters; beside one monitor of all
  rows, over 30 days in a new store;
* ``monitors``: 20 monitors of the same dataset, beside one.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from days import at, days, monitor
from measure import Cost, alternate, middle_cost, ratio, table
from pyspark.sql import SparkSession
from session import session

from engine import Monitor, Store
from engine.run import Due, Evaluation, evaluate_together

DAYS = 60
MOVING = {"lookback_window_size": "P30D", "lookback_window_offset": "P30D"}
WINDOW = "P30D"
QUALITY: Mapping[str, Any] = {
    "type": "data_quality",
    "metric_thresholds": {"numerical": {"null_value_rate": 0.1}, "categorical": {"null_value_rate": 0.1}},
}
"""Needs the same profiles as drift does, and next to no arithmetic on them."""


@dataclass
class Bench:
    """A Spark, the data, and a folder for stores."""

    spark: SparkSession
    data: Path
    folder: Path
    rounds: int

    def evaluate(self, monitors: Sequence[Monitor], times: Sequence[int], store: Path) -> list[list[Evaluation]]:
        """Evaluate monitors at the ends of these days."""
        due = [Due(each, tuple(at(number) for number in times)) for each in monitors]
        return evaluate_together(self.spark, due, store=Store(store))

    def prepared(self, name: str, monitors: Sequence[Monitor], times: Sequence[int]) -> Path:
        """A store in which these were evaluated."""
        store = self.folder / name
        self.evaluate(monitors, times, store)
        return store

    def with_bins(self, name: str, monitors: Sequence[Monitor]) -> Path:
        """A store that has the monitors' frozen bins and nothing else."""
        store = self.prepared(name, monitors, [8])
        for each in ("profiles", "signal_metrics", "runs"):
            shutil.rmtree(store / each)
        return store

    def from_copy(self, store: Path, work: Callable[[Path], object]) -> Callable[[], object]:
        """The work, on a copy of a store."""

        def run() -> object:
            copy = Path(tempfile.mkdtemp(dir=self.folder)) / "store"
            shutil.copytree(store, copy)
            return work(copy)

        return run

    def compared(self, works: Mapping[str, Callable[[], object]]) -> dict[str, list[Cost]]:
        return alternate(works, self.rounds)


# -------------------------------------------------------------------------------------------------- the measurements


def daily(bench: Bench) -> str:
    """One new bucket of sixty."""
    long, short = monitor(bench.data, window=WINDOW, baseline=MOVING), monitor(bench.data, window="P1D")
    stores = {
        "30-day window, 30-day moving baseline": (long, bench.prepared("long", [long], [DAYS - 1])),
        "1-day window": (short, bench.prepared("short", [short], [DAYS - 1])),
    }
    rows: dict[str, int | None] = {}

    def run(name: str) -> Callable[[], object]:
        each, store = stores[name]

        def work(copy: Path) -> None:
            rows[name] = bench.evaluate([each], [DAYS], copy)[0][0].run.rows_read

        return bench.from_copy(store, work)

    costs = bench.compared({name: run(name) for name in stores})
    over = list(stores)[1]
    wall = {
        name: middle_cost(
            [Cost(0, mine.wall / other.wall) for mine, other in zip(costs[name], costs[over], strict=True)]
        )
        for name in stores
    }
    lines = [
        [name, f"{rows[name]:,}", f"{middle_cost(costs[name]).wall:.2f}", f"**{wall[name].wall:.2f}**"]
        for name in stores
    ]
    return table("A day in a store that has the other days", ["run", "rows read", "wall s", "wall / 1-day"], lines)


def backfill(bench: Bench) -> str:
    """Sixty windows and one scan."""
    each = monitor(bench.data)
    bins = bench.with_bins("backfill", [each])
    works = {
        "one scan that profiles all days": lambda: scan(bench, each, Store(bins)),
        "60 daily windows, new store": bench.from_copy(
            bins, lambda copy: bench.evaluate([each], range(1, DAYS + 1), copy)
        ),
    }
    return told("Backfill", bench.compared(works))


def scan(bench: Bench, each: Monitor, store: Store) -> None:
    """Profile all rows of all columns in one bucket, in their frozen bins."""
    from engine.batches import Span
    from engine.counting import count
    from engine.datasets import open_dataset
    from engine.monitor import Columns
    from signals.kernel import ScannedColumn
    from signals.segments import EVERYTHING

    data = each.signals[0].production[0]
    held = store.find_bins(bin_ids(store))
    names = {column: bins for column, bins in frozen(store).items() if bins in held}
    columns = [ScannedColumn(name, held[bins]) for name, bins in names.items()]
    count(open_dataset(bench.spark, data, Span()), columns, [None], [EVERYTHING], Columns())


def frozen(store: Store) -> dict[str, str]:
    """The bins' ids by column."""
    from deltalake import DeltaTable

    rows = DeltaTable(f"{store.uri}/bins").to_pyarrow_table(columns=["column", "bins_id"]).to_pylist()
    return {row["column"]: row["bins_id"] for row in rows}


def bin_ids(store: Store) -> list[str]:
    return list(frozen(store).values())


def segments(bench: Bench) -> str:
    """Fifty disjoint segments, and ten that overlap: by what is only counted, and by what is also put to chance."""
    found: list[str] = []
    signals: dict[str, Mapping[str, Any]] = {"null rates": QUALITY, "PSI with its chances": {}}
    for name, signal in signals.items():
        one = monitor(bench.data, window=WINDOW, **signal)
        bins = bench.with_bins(f"segments {name}", [one])
        disjoint = [
            monitor(
                bench.data, f"value-{number}", window=WINDOW, filters=[equals("cat_2", f"value {number}")], **signal
            )
            for number in range(50)
        ]
        overlapping, unrelated = (
            [
                monitor(bench.data, f"filter-{number}", window=WINDOW, filters=filters, **signal)
                for number, filters in enumerate(ten)
            ]
            for ten in (overlapping_filters(), unrelated_filters())
        )
        works = {
            "one monitor, all rows": one_of([one], bench, bins),
            "50 monitors, disjoint segments": one_of(disjoint, bench, bins),
            "10 monitors, overlapping filters": one_of(overlapping, bench, bins),
            "10 monitors, filters on 10 columns": one_of(unrelated, bench, bins),
        }
        found.append(told(f"Segments, 30 days: {name}", bench.compared(works)))
    return "\n".join(found)


Filter = dict[str, Any]


def equals(column: str, *values: str) -> Filter:
    return {"feature": column, "operator": "in", "values": list(values)}


def number(place: int, operator: str, value: float) -> dict[str, Any]:
    return {"feature": f"num_{place}", "operator": operator, "value": value}


def overlapping_filters() -> list[list[Filter]]:
    """Ten filters as people have them: thresholds of a number, values of two texts, and both together."""
    above = [[{"feature": "num_1", "operator": "greater_than", "value": value}] for value in (-1, 0, 1)]
    plans = [[equals("cat_0", "value 0")], [equals("cat_0", "value 0", "value 1")]]
    states = [[equals("cat_2", "value 0")], [equals("cat_2", "value 0", "value 1", "value 2")]]
    return [*above, *plans, *states, [*above[1], *plans[0]], [*plans[0], *states[0]], [*above[0], *states[1]]]


def unrelated_filters() -> list[list[Filter]]:
    """Ten filters on ten columns that have nothing to do with each other: a row may pass any of 1,024 sets of them."""
    return [[{"feature": f"num_{place}", "operator": "greater_than", "value": 0.5}] for place in range(10)]


def monitors(bench: Bench) -> str:
    """Twenty monitors of one dataset."""
    one = monitor(bench.data, window=WINDOW)
    twenty = [monitor(bench.data, f"monitor-{number}", window=WINDOW) for number in range(20)]
    bins = bench.with_bins("monitors", [one])
    works = {"one monitor": one_of([one], bench, bins), "20 monitors": one_of(twenty, bench, bins)}
    return told("Monitors of the same dataset, 30 days", bench.compared(works))


def one_of(some: Sequence[Monitor], bench: Bench, store: Path) -> Callable[[], object]:
    return bench.from_copy(store, lambda copy: bench.evaluate(some, [DAYS], copy))


def told(title: str, costs: Mapping[str, Sequence[Cost]]) -> str:
    first = next(iter(costs))
    lines = [
        [name, f"{middle_cost(own).cpu:.1f}", f"{middle_cost(own).wall:.1f}", f"**{ratio(costs, name, first):.2f}**"]
        for name, own in costs.items()
    ]
    return table(title, ["work", "CPU s (median)", "wall s (median)", f"CPU / {first}"], lines)


MEASUREMENTS = {"daily": daily, "backfill": backfill, "segments": segments, "monitors": monitors}


def reports(rows: int = 200_000, rounds: int = 3, names: Sequence[str] = ()) -> Iterator[str]:
    """The measured tables, in Markdown, each as soon as it is there."""
    for name in names or MEASUREMENTS:
        with tempfile.TemporaryDirectory() as folder:
            yield MEASUREMENTS[name](Bench(session(), days(DAYS, rows), Path(folder), rounds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS])
    parser.add_argument("--rows", type=int, default=200_000, help="a day (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    options = parser.parse_args()
    for found in reports(options.rows, options.rounds, options.names):
        print(found, flush=True)
