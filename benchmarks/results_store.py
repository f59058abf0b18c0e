"""How quickly is one monitor's page read from a year of results? Seconds in a fresh process, after its imports.

    python benchmarks/results_store.py [--days 365] [--monitors 100] [--features 50] [--store FOLDER]

Every day one run of each monitor is written, all in one commit, with one row per feature and the evidence that a
drift metric leaves; the store compacts itself as it grows. Then a page's two questions are asked, each in a process of
its own: all rows of the last 30 days of one monitor, and a year of its values without their evidence. And one that is
not of a page: the runs of all monitors of the last 30 days. A year is 1.8 million rows, and takes about ten minutes to
write; `--days 30` is a quick look. With `--store` the store is kept, and only read where it is there already.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import checkout  # noqa: F401  # pyright: ignore[reportUnusedImport] - it finds the engine
import numpy as np
import pyarrow as pa
from measure import fresh, table

from engine.results import MetricRow, Run, Status
from engine.store import Store

FIRST = datetime(2025, 1, 1, 3, 15, tzinfo=UTC)
MONITOR = "monitor 42"
METRIC = "jensen_shannon_distance"
THRESHOLD = 0.1
VALUES = ("scheduled_for", "group", "metric_name", "metric_value", "threshold_value", "status")
LATELY = 30
READINGS = 5


def written(store: Store, days: int, monitors: int, features: int) -> list[float]:
    """Seconds of each day's commit."""
    took: list[float] = []
    rng = np.random.default_rng(0)
    for number in range(days):
        runs = [_run(f"monitor {each}", FIRST + timedelta(days=number)) for each in range(monitors)]
        rows = [row for run in runs for row in _rows(run, features, rng)]
        began = time.perf_counter()
        store.write(runs, rows)
        took.append(time.perf_counter() - began)
        if number % 10 == 0:
            print(f"  day {number} of {days}: {took[-1]:.2f} s", file=sys.stderr, flush=True)
    return took


def _run(monitor: str, at: datetime) -> Run:
    return Run(
        run_id=f"{monitor}@{at:%Y-%m-%dT%H:%M}",
        monitor=monitor,
        scheduled_for=at,
        started_at=at,
        finished_at=at,
        rows_read=200_000,
        config_hash="0123456789abcdef",
        fingerprints={"data/current": "c0ffee" * 6},
    )


def _rows(run: Run, features: int, rng: np.random.Generator) -> list[MetricRow]:
    values = rng.gamma(2.0, 0.02, features)
    return [_row(run, f"feature {number}", float(value), rng) for number, value in enumerate(values)]


def _row(run: Run, group: str, value: float, rng: np.random.Generator) -> MetricRow:
    breached = value > THRESHOLD
    return MetricRow(
        monitor=run.monitor,
        signal="drift",
        signal_type="data_drift",
        run_id=run.run_id,
        scheduled_for=run.scheduled_for,
        window_start=run.scheduled_for - timedelta(days=1),
        window_end=run.scheduled_for,
        group=group,
        metric_name=METRIC,
        metric_value=value,
        threshold_value=THRESHOLD,
        threshold_kind="fixed",
        operator="greater_than",
        breached=breached,
        status=Status.BREACHED if breached else Status.OK,
        row_count=200_000,
        baseline_row_count=4_000_000,
        p_value=float(rng.random()),
        q_value=float(rng.random()),
        expected_p95=0.004,
        details=_details(rng),
        config_hash=run.config_hash,
        evaluated_at=run.finished_at,
    )


def _details(rng: np.random.Generator) -> dict[str, Any]:
    """What a drift metric leaves of deciles: the bins' edges, shares on both sides, and contributions."""
    edges, shares, contributions = np.sort(rng.normal(size=9)), rng.dirichlet(np.full(11, 50.0), 2), rng.random(11)
    inner = [f"[{low:.4g}, {high:.4g})" for low, high in pairwise(edges)]
    bins = [f"< {edges[0]:.4g}", *inner, f">= {edges[-1]:.4g}", "null"]
    return {
        "k": len(bins),
        "bins": bins,
        "nulls": "bin",
        "binning": "quantile",
        "edges": edges,
        "p_value_method": "closed form",
        "contributions": list(zip(bins, *shares.tolist(), contributions.tolist(), strict=True)),
        "more_contributions": 0,
    }


# -------------------------------------------------------------------------------------------------------- reading


def read(store: Store, question: str, days: int) -> dict[str, Any]:
    """Rows of the answer, and seconds from opening the store to having it."""
    lately = FIRST + timedelta(days=days - LATELY)
    questions: dict[str, Callable[[], pa.Table]] = {
        "page": lambda: store.read_metrics(monitor=MONITOR, start=lately),
        "history": lambda: store.read_metrics(monitor=MONITOR, columns=VALUES),
        "runs": lambda: store.read_runs(start=lately),
    }
    began = time.perf_counter()
    rows = questions[question]().num_rows
    return {"rows": rows, "seconds": time.perf_counter() - began}


def measured(store: Path, days: int) -> dict[str, Any]:
    """Each question's rows, and the median and the longest of its seconds."""
    found: dict[str, Any] = {}
    for question in ("page", "history", "runs"):
        command = ("results_store.py", "--store", store, "--days", days, "--read", question)
        answers = [fresh(*command) for _ in range(READINGS)]
        seconds = [each["seconds"] for each in answers]
        found[question] = {"rows": answers[0]["rows"], "seconds": median(seconds), "longest": max(seconds)}
    return found


def result(store: Path, days: int, monitors: int, features: int) -> dict[str, Any]:
    """What it takes to write these days, where there are none, and to read them."""
    took = [] if store.exists() else written(Store(store), days, monitors, features)
    files = {name: len(list((store / name).rglob("part-*.parquet"))) for name in ("signal_metrics", "runs")}
    size = sum(each.stat().st_size for each in store.rglob("*") if each.is_file())
    commits = {"commit_median": median(took), "commit_longest": max(took), "commits_sum": sum(took)} if took else {}
    return {"rows": days * monitors * features, "mb": size / 1e6, "files": files, **commits, **measured(store, days)}


def report(days: int, monitors: int = 100, features: int = 50) -> str:
    """The measured table, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        found = result(Path(folder) / "store", days, monitors, features)
    names = {
        "page": "all rows of one monitor, 30 days",
        "history": "its values over all days, without evidence",
        "runs": "runs of all monitors, 30 days",
    }
    lines = [
        [name, f"{found[each]['rows']:,}", f"**{found[each]['seconds']:.2f}**", f"{found[each]['longest']:.2f}"]
        for each, name in names.items()
    ]
    title = f"Reading {found['rows']:,} results: {days} days of {monitors} monitors, {features} features"
    return table(title, ["question", "rows", "s (median)", "s (longest)"], lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--monitors", type=int, default=100)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--store", type=Path, help="where the store is kept (default: it is removed)")
    parser.add_argument("--read", metavar="QUESTION", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.read:
        print(json.dumps(read(Store(given.store), given.read, given.days)))
        return
    with tempfile.TemporaryDirectory() as folder:
        store = given.store or Path(folder) / "store"
        print(json.dumps(result(store, given.days, given.monitors, given.features)))


if __name__ == "__main__":
    main()
