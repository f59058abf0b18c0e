"""How a threshold that a history set is told: beside the value, and where somebody asks why."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import Result

from engine.monitor import Monitor
from engine.results import MetricRow, Status
from engine.run import Evaluation
from engine.store import Store
from engine.triggers import Frequency, Recurrence, Trigger
from engine.wording import bound
from jobs.found import Found
from jobs.periods import Tally, Window, periods_of
from jobs.verdicts import verdict_of
from tests.jobs.conftest import AT, a_row, a_run

Driftline = Callable[..., Result]

RUN = a_run()
HISTORY = {
    "method": "standard_deviation", "mean": 0.0301, "standard_deviation": 0.00205, "k": 2.0, "points": 13,
    "from": "2013-06-18T03:15:00+00:00", "to": "2013-07-01T03:15:00+00:00",
}  # fmt: skip
ROBUST = {"method": "median_absolute_deviation", "median": 900.0, "median_absolute_deviation": 20.0, "k": 3.0}


def jumped(**fields: Any) -> MetricRow:
    return a_row(RUN, "distance", 0.4, 0.0342, threshold_kind="dynamic", details={"history": HISTORY}, **fields)


def too_young() -> MetricRow:
    reason = "3 earlier values in its history, fewer than min_points = 5"
    return a_row(RUN, "origin", 0.3, None, breached=None, status=Status.INSUFFICIENT_DATA, threshold_kind="dynamic",
                 operator="greater_than", reason=reason)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> str:
    robust = HISTORY | ROBUST
    few = {"signal": "quality", "metric_name": "row_count", "operator": "less_than", "breached": True,
           "status": Status.BREACHED, "threshold_kind": "dynamic", "details": {"history": robust}}  # fmt: skip
    rows = [jumped(), too_young(), a_row(RUN, "dataset", 700.0, 811.0, **few)]
    del robust["mean"], robust["standard_deviation"]
    Store(tmp_path / "store").write([RUN], rows)
    return str(tmp_path / "store")


def printed(what: Any) -> str:
    written = io.StringIO()
    Console(file=written, width=140).print(what)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["fixed", "range", None])
def test_only_a_dynamic_bound_says_what_it_is(kind: str | None) -> None:
    assert bound("greater_than", 0.1, kind) == "> 0.1"
    assert bound("less_than", 0.03125, "dynamic") == "< 0.03125 dynamic"


def test_a_run_says_which_bounds_are_dynamic_and_which_histories_are_too_short() -> None:
    monitor = Monitor("flights", (), Trigger(Recurrence(Frequency.DAY)))
    found = Found(monitor, Evaluation(RUN, (jumped(), too_young())), {})
    text = " ".join(printed(verdict_of(found, "/store")).split())
    assert "distance 0.4 > 0.0342 dynamic 12× this run 1,234" in text
    assert "1 of 2 checks breached · 1 not judged" in text
    assert (
        "drift insufficient data: origin (population_stability_index): 3 earlier values in its history, fewer than "
        "min_points = 5"
    ) in text


def test_a_backfill_says_so_of_the_worst(store: str) -> None:
    tally = Tally("flights", ("drift",))
    tally.add(Window(AT, RUN, 1, 1, (jumped(),)))
    assert "0.4 > 0.0342 dynamic 12×" in printed(periods_of(tally, AT, AT))


def test_the_table_of_results_says_so(driftline: Driftline, store: str) -> None:
    text = driftline("results", "--store", store).stdout
    assert "> 0.0342 dynamic" in text
    assert "< 811 dynamic" in text
    assert "insufficient data: 3 earlier values in its history, fewer than min_points = 5" in text


def test_why_says_the_sum_that_the_bound_is(driftline: Driftline, store: str) -> None:
    text = driftline("explain", "flights", "--store", store).stdout
    assert "population_stability_index = 0.4  breached: a breach is > 0.0342 dynamic (12 times it)" in text
    stands = "the threshold stands on 13 earlier values, from 18 Jun 2013 03:15 UTC to 1 Jul 2013 03:15 UTC: "
    assert stands + "mean 0.0301 + 2 × standard deviation 0.00205" in text
    assert stands + "median 900 − 3 × 1.4826 × median absolute deviation 20" in text
