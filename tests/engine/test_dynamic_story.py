"""A shop whose orders are steady for ten days and then cost twice as much: who notices, and when?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.monitor import Monitor
from engine.results import MetricRow, Status
from engine.run import Evaluation
from engine.store import Store
from tests.engine.labs import Lab, assert_same_rows, by_name

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
TIMES = [FIRST + timedelta(days=day) for day in range(1, 13)]
"""Scheduled times; the window of each is the day before, so that the jump of the eleventh day is seen by `JUMP`."""
JUMP = TIMES[10]
PRICE = ("drift", "price", "normalized_wasserstein_distance")
MEAN = ("quality", "price", "mean")
ROWS = ("quality", "dataset", "row_count")
ERROR = ("model", "said", "mean_absolute_error")
ROLES = {"timestamp": "at", "prediction": "said", "actual": "paid"}


def orders(day: datetime, n: int, mean: float) -> pd.DataFrame:
    rng = np.random.default_rng(day.toordinal())
    price = rng.normal(mean, 10, n)
    at = pd.date_range(day, periods=n, freq="1min").as_unit("us")
    return pd.DataFrame({"at": at, "price": price, "said": price, "paid": price + rng.normal(0, mean / 50, n)})


@pytest.fixture(scope="module")
def lab(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(spark, tmp_path_factory.mktemp("shop"))
    lab.write("baseline", orders(FIRST - timedelta(days=30), 1000, 100.0))
    for place, time in enumerate(TIMES):
        lab.write("orders", orders(time - timedelta(days=1), 290 + place, 100.0 if time < JUMP else 200.0))
    return lab


@pytest.fixture(scope="module")
def shop(lab: Lab) -> Monitor:
    return monitor_of(lab, {"dynamic": True}, {"dynamic": {"method": "mad", "k": 6, "min_points": 3}})


def monitor_of(lab: Lab, distance: Any, error: Any) -> Monitor:
    data = lab.data("orders", {"lookback_window_size": "P1D"}, **ROLES)
    both = {"production_data": data, "reference_data": lab.data("baseline"), "features": ["price"]}
    return lab.monitor(
        "shop",
        drift={"type": "data_drift", "metric_thresholds": {"numerical": {PRICE[2]: distance}}, **both},
        quality={
            "type": "data_quality",
            "metric_thresholds": {
                "numerical": {"mean": {"dynamic": True, "operator": "both"}, "null_value_rate": {"dynamic": True}},
                "dataset": {"row_count": {"dynamic": True}},
            },
            **both,
        },
        model={
            "type": "model_performance",
            "production_data": data,
            "metric_thresholds": {"regression": {"mean_absolute_error": error}},
        },
    )


@pytest.fixture(scope="module")
def backfilled(lab: Lab, shop: Monitor, tmp_path_factory: pytest.TempPathFactory) -> list[Evaluation]:
    return lab.evaluate_all(shop, TIMES, Store(tmp_path_factory.mktemp("one") / "store"))


def of_check(evaluations: list[Evaluation], check: tuple[str, str, str]) -> list[MetricRow]:
    return [by_name(evaluation)[check] for evaluation in evaluations]


# ------------------------------------------------------------------------------------------------------- the story


def test_for_five_days_it_says_that_it_does_not_know_yet(backfilled: list[Evaluation]) -> None:
    rows = of_check(backfilled, PRICE)
    assert [row.status for row in rows[:6]] == [Status.INSUFFICIENT_DATA] * 5 + [Status.OK]
    assert [row.reason for row in rows[1:6]] == [
        "1 earlier value in its history, fewer than min_points = 5",
        *(f"{n} earlier values in its history, fewer than min_points = 5" for n in (2, 3, 4)),
        None,
    ]
    assert all(row.metric_value is not None and row.threshold_value is None for row in rows[:5])


@pytest.mark.parametrize("check", [PRICE, MEAN, ERROR])
def test_the_jump_breaches_on_the_day_that_it_comes_and_not_before(
    backfilled: list[Evaluation], check: tuple[str, str, str]
) -> None:
    rows = of_check(backfilled, check)
    assert rows[10].status is Status.BREACHED
    assert (rows[10].threshold_kind, rows[10].operator) == ("dynamic", "greater_than")
    assert rows[10].metric_value is not None
    assert rows[10].threshold_value is not None
    assert rows[10].metric_value > 1.5 * rows[10].threshold_value


def test_the_bound_can_be_worked_out_again_from_the_rows_before(backfilled: list[Evaluation]) -> None:
    before = [row.metric_value for row in of_check(backfilled, PRICE)[:10] if row.metric_value is not None]
    assert len(before) == 10
    row = by_name(backfilled[10])[PRICE]
    mean, deviation = np.mean(before), np.std(before, ddof=1)
    assert row.threshold_value == pytest.approx(mean + 2 * deviation)
    assert row.details["history"] == {
        "method": "standard_deviation",
        "mean": pytest.approx(mean),
        "standard_deviation": pytest.approx(deviation),
        "k": 2.0,
        "points": 10,
        "from": TIMES[0].isoformat(),
        "to": TIMES[9].isoformat(),
    }
    robust = by_name(backfilled[10])[ERROR].details["history"]
    assert (robust["method"], robust["points"]) == ("median_absolute_deviation", 10)


def test_what_never_was_null_and_still_is_not_does_not_breach(backfilled: list[Evaluation]) -> None:
    last = of_check(backfilled, ("quality", "price", "null_value_rate"))[-1]
    assert (last.status, last.metric_value, last.threshold_value) == (Status.OK, 0.0, 0.0)


def test_more_orders_every_day_are_no_breach_where_fewer_would_be_one(backfilled: list[Evaluation]) -> None:
    rows = of_check(backfilled, ROWS)[5:]
    assert {(row.status, row.operator) for row in rows} == {(Status.OK, "less_than")}
    for row in rows:
        assert row.metric_value is not None
        assert row.threshold_value is not None
        assert row.threshold_value < row.metric_value


# ------------------------------------------------------------------------------------- in one go, or one by one


def test_one_window_at_a_time_comes_to_the_same(
    lab: Lab, shop: Monitor, backfilled: list[Evaluation], tmp_path: Any
) -> None:
    store = Store(tmp_path / "store")
    lab.evaluate_all(shop, TIMES[:3], store)
    one_by_one = [lab.evaluate(shop, time, store=store) for time in TIMES[3:7]]
    rest = lab.evaluate_all(shop, TIMES[7:], store)
    for here, there in zip(backfilled[3:], [*one_by_one, *rest], strict=True):
        assert_same_rows(here, there)


def test_evaluated_again_the_old_values_of_the_same_times_do_not_count(
    lab: Lab, shop: Monitor, backfilled: list[Evaluation], tmp_path: Any
) -> None:
    store = Store(tmp_path / "store")
    lab.evaluate_all(shop, TIMES, store)
    for here, there in zip(backfilled, lab.evaluate_all(shop, TIMES, store), strict=True):
        assert_same_rows(here, there)


def test_a_written_bound_takes_over_and_the_history_goes_on(
    lab: Lab, shop: Monitor, backfilled: list[Evaluation], tmp_path: Any
) -> None:
    store = Store(tmp_path / "store")
    lab.evaluate_all(monitor_of(lab, {"dynamic": True, "threshold": 99}, 99), TIMES[:10], store)
    assert {row["threshold_kind"] for row in store.read_metrics(signal="drift").to_pylist()} == {"fixed"}
    at_once = lab.evaluate(shop, JUMP, store=store)
    assert_same_rows(backfilled[10], at_once)
