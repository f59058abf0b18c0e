"""What does the production profile cost beside a bare scan? CPU over that of Spark's own sum and count.

    python benchmarks/profile_cpu.py [ROWS]

Every state of all 25 columns, in frozen bins, over the window of a day; by the file feed, and by the frame feed.
Everything warm, in one session, in turns.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from dataset import COLUMNS, NUMBERS, STRINGS, dataset
from measure import Cost, alternate, ratio, table
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from session import session

from engine.baselines import BinsRequest, frozen_bins
from engine.batches import Dataset, Span
from engine.counting import count
from engine.datasets import open_dataset
from engine.frame_feed import FrameDataset
from engine.monitor import Columns, Context, Data, Source
from engine.windows import Window
from signals.binning import Binning
from signals.kernel import ScannedColumn
from signals.segments import EVERYTHING

ROLES = Columns(timestamp="ts")
WINDOW = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
BARE = "bare Spark `sum` and `count`"
FILE_FEED, FRAME_FEED = "file feed", "frame feed"


def measured(rows: int, rounds: int = 7) -> dict[str, list[Cost]]:
    """The costs of the three, by name."""
    folder, spark = dataset(rows), session()
    columns = frozen_columns(spark, folder)
    frame = spark.read.parquet(str(folder / "current"))
    frame_feed = FrameDataset("current", frame)
    return alternate(
        {
            BARE: lambda: bare(frame),
            FILE_FEED: lambda: profiled(opened(spark, folder / "current"), columns),
            FRAME_FEED: lambda: profiled(frame_feed, columns),
        },
        rounds,
    )


def bare(frame: DataFrame) -> None:
    frame.select(*[F.sum(name) for name in NUMBERS], *[F.count(name) for name in STRINGS]).collect()


def profiled(dataset: Dataset, columns: list[ScannedColumn]) -> None:
    count(dataset, columns, [WINDOW], [EVERYTHING], ROLES)


def opened(spark: SparkSession, folder: Path) -> Dataset:
    return open_dataset(spark, Data(Source(path=str(folder)), Context.MODEL_INPUTS, ROLES), Span())


def frozen_columns(spark: SparkSession, folder: Path) -> list[ScannedColumn]:
    """The columns in the bins of the baseline."""
    source = Source(path=str(folder / "baseline"))
    request = BinsRequest(source, ROLES, tuple(COLUMNS), window=None, kinds={}, max_categories=1000, binning=Binning())
    bins = frozen_bins(opened(spark, folder / "baseline"), request, None).bins
    return [ScannedColumn(name, bins[name]) for name in COLUMNS]


def report(rows: int) -> str:
    """The measured table, in Markdown."""
    costs = measured(rows)
    lines = [
        [name, f"{min(cost.cpu for cost in each):.2f}", f"{min(cost.wall for cost in each):.2f}",
         f"**{ratio(costs, name, BARE):.2f}**"]
        for name, each in costs.items()
    ]  # fmt: skip
    title = f"The production profile of 25 columns, {rows:,} rows"
    return table(title, ["form", "CPU s (least)", "wall s (least)", "CPU / bare scan (median)"], lines)


if __name__ == "__main__":
    print(report(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000))
