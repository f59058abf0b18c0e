"""Three shops sell; one of them doubles its prices, and another one opens: who carried the shift?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import Monitor
from engine.carriers import explain
from engine.errors import DataError
from engine.results import MetricRow
from engine.spark import Meter
from engine.store import Store
from tests.engine.labs import NOW, Lab

DAY = timedelta(days=1)
WINDOW = {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"}
WASSERSTEIN = "normalized_wasserstein_distance"
SHOPS = ["east", "north", "west"]


def sales(start: datetime, rows: int, seed: int, **factors: float) -> pd.DataFrame:
    """A day's sales: prices, and which of 30 tills; a `factor` multiplies a shop's prices."""
    rng = np.random.default_rng(seed)
    shops = rng.choice(SHOPS, rows)
    prices = rng.normal(100, 10, rows) * np.array([factors.get(shop, 1.0) for shop in shops])
    return pd.DataFrame({
        "at": [start + timedelta(seconds=int(second)) for second in rng.integers(0, 86_400, rows)],
        "shop": pd.Series(shops).mask(rng.random(rows) < 0.05),
        "till": rng.integers(0, 30, rows).astype(str),
        "price": prices,
        "weight": np.round(rng.exponential(3.0, rows), 2),
    })  # fmt: skip


@pytest.fixture(scope="module")
def shops(spark, tmp_path_factory) -> Lab:
    """A quiet baseline; east doubled its prices yesterday, the day before nothing happened."""
    lab = Lab(spark, tmp_path_factory.mktemp("shops"))
    lab.write("baseline", sales(datetime(2024, 1, 1, tzinfo=UTC), 6_000, 1))
    lab.write("production", sales(NOW - 2 * DAY, 900, 2, west=0.7))
    lab.write("production", sales(NOW - DAY, 1_000, 3, east=2.0))
    return lab


def a_monitor(lab: Lab, production: str = "production", **keys: Any) -> Monitor:
    signal = {
        "type": "data_drift",
        "features": ["price", "shop"],
        "production_data": lab.data(production, WINDOW, timestamp="at"),
        "reference_data": lab.data("baseline", timestamp="at"),
        "metric_thresholds": {
            "numerical": {"normalized_wasserstein_distance": 0.2, "population_stability_index": 0.2},
            "categorical": {"jensen_shannon_distance": 0},
        },
        "explain_by": ["shop", "till"],
    }
    return lab.monitor(drift=signal | keys)


def explained_rows(
    lab: Lab, monitor: Monitor, times: Sequence[datetime] = (NOW,), store: Store | None = None
) -> dict[tuple[datetime, str, str], MetricRow]:
    rows = [row for each in lab.evaluate_all(monitor, times, store) for row in each.rows]
    return {(row.scheduled_for, row.group, row.metric_name): row for row in rows}


def carried_by(row: MetricRow, dimension: str) -> dict[str, list[Any]]:
    return {value: rest for name, value, *rest in row.details["carried_by"] if name == dimension}


@pytest.fixture(scope="module")
def yesterday(shops) -> dict[tuple[datetime, str, str], MetricRow]:
    return explained_rows(shops, a_monitor(shops))


def frame(lab: Lab, name: str) -> pd.DataFrame:
    data = pd.concat([pd.read_parquet(path) for path in sorted((lab.folder / name).iterdir())])
    return data[data["at"] >= NOW - DAY] if name == "production" else data


def test_the_shop_that_doubled_its_prices_carried_the_shift(yesterday):
    shops = carried_by(yesterday[NOW, "price", WASSERSTEIN], "shop")
    assert set(shops) == {"east", "north", "west", "null"}
    share, _, within, *_ = shops["east"]
    assert share > 0.9
    assert within > 0.9
    assert sum(each[0] for each in shops.values()) == pytest.approx(1.0)


def test_rows_are_counted_by_value_on_both_sides(yesterday, shops):
    told = carried_by(yesterday[NOW, "price", WASSERSTEIN], "shop")
    for value, (*_, now, before) in told.items():
        here, there = (frame(shops, side)["shop"].fillna("null").eq(value).sum() for side in ("production", "baseline"))
        assert (now, before) == (here, there)


def test_many_values_are_told_by_the_ten_that_carry_most_and_the_rest_together(yesterday):
    row = yesterday[NOW, "price", WASSERSTEIN]
    tills, (count, share, _, _, now, before) = carried_by(row, "till"), row.details["carried_by_rest"]["till"]
    assert (len(tills), count) == (10, 11)  # of 20 tills, and the rare ones as one
    assert "other" not in tills
    assert share + sum(each[0] for each in tills.values()) == pytest.approx(1.0)
    assert now + sum(each[3] for each in tills.values()) == 1_000
    assert before + sum(each[4] for each in tills.values()) == 6_000
    assert [each[0] for each in tills.values()] == sorted((each[0] for each in tills.values()), reverse=True)


def test_every_splittable_metric_of_a_breached_feature_is_explained(yesterday):
    psi = carried_by(yesterday[NOW, "price", "population_stability_index"], "shop")
    assert psi["east"][0] > 0.9


def test_a_column_is_not_explained_by_itself(yesterday):
    row = yesterday[NOW, "shop", "jensen_shannon_distance"]
    assert row.breached
    assert {name for name, *_ in row.details["carried_by"]} == {"till"}


def test_a_day_explains_the_same_alone_and_among_others(yesterday, shops):
    both = explained_rows(shops, a_monitor(shops), [NOW - DAY, NOW])
    alone, among = (rows[NOW, "price", WASSERSTEIN] for rows in (yesterday, both))
    assert [each[:2] for each in alone.details["carried_by"]] == [each[:2] for each in among.details["carried_by"]]
    assert [each[2] for each in alone.details["carried_by"]] == pytest.approx(
        [each[2] for each in among.details["carried_by"]]
    )
    assert carried_by(both[NOW - DAY, "price", WASSERSTEIN], "shop")["west"][0] > 0.9


def test_what_did_not_breach_is_not_explained(shops):
    calm = a_monitor(shops, metric_thresholds={"numerical": {"normalized_wasserstein_distance": 99}})
    assert "carried_by" not in explained_rows(shops, calm)[NOW, "price", WASSERSTEIN].details


def test_a_signal_that_names_no_columns_is_not_explained_and_not_read_again(shops):
    def jobs(monitor: Monitor) -> int:
        return shops.evaluate(monitor).run.spark_jobs

    explained = a_monitor(shops)
    silent = replace(explained, signals=(replace(explained.signals[0], explain_by=()),))
    assert jobs(silent) == 3
    assert jobs(explained) == 3 + 5  # bins of the dimensions; both sides' dimensions; both sides divided


def test_a_dimension_that_is_no_column_is_noted_and_the_others_are_told(shops):
    found = shops.evaluate(a_monitor(shops, explain_by=["shopp", "till"]))
    assert "has no column 'shopp' to explain by; did you mean 'shop'?" in " ".join(found.run.notes)
    assert {name for row in found.rows for name, *_ in row.details.get("carried_by", [])} == {"till"}


def test_a_filtered_signal_is_explained_by_its_own_rows(shops):
    only = a_monitor(shops, filters=[{"feature": "till", "operator": "in", "values": ["1", "2", "3"]}])
    told = carried_by(explained_rows(shops, only)[NOW, "price", WASSERSTEIN], "till")
    assert set(told) == {"1", "2", "3"}
    now = frame(shops, "production")
    assert sum(each[3] for each in told.values()) == now["till"].isin(["1", "2", "3"]).sum()


# ------------------------------------------------------------------------------------------------------ on demand


def asked(lab: Lab, *dimensions: str, store: Store | None = None, **keys: Any) -> Any:
    return explain(
        lab.spark, a_monitor(lab, **keys), NOW, feature="price", metrics={"drift": [WASSERSTEIN]},
        dimensions=dimensions, store=store,
    )["drift", WASSERSTEIN]  # fmt: skip


def test_any_column_explains_on_demand_with_each_values_own_metric(shops, yesterday):
    by_shop, by_weight = asked(shops, "shop", "weight")
    stored = carried_by(yesterday[NOW, "price", WASSERSTEIN], "shop")
    assert {each.value: each.share for each in by_shop.carriers} == pytest.approx(
        {value: share for value, (share, *_) in stored.items()}
    )
    assert by_shop.own["east"] > 5 * by_shop.own["north"]
    assert len(by_weight.carriers) == 4
    assert sum(each.current_rows for each in by_weight.carriers) == 1_000


def test_a_second_look_reads_nothing(shops, tmp_path):
    store = Store(tmp_path / "store")
    first = asked(shops, "shop", store=store)
    with Meter(shops.spark) as meter:
        again = asked(shops, "shop", store=store)
    assert meter.spark_jobs == 0
    assert [each.carriers for each in again] == [each.carriers for each in first]


def test_one_scan_per_side_counts_all_dimensions(shops):
    with Meter(shops.spark) as meter:
        asked(shops, "shop", "till", "weight")
    # Bins of the feature and of the dimensions; each side's dimensions; each side's rows, divided.
    assert meter.spark_jobs == 6


def test_unknown_columns_are_an_error_on_demand(shops):
    with pytest.raises(DataError, match="no column 'shopp' to explain by; did you mean 'shop'"):
        asked(shops, "shopp")


def test_rows_that_are_gone_from_the_source_are_not_divided(spark, tmp_path):
    lab, store = Lab(spark, tmp_path), Store(tmp_path / "store")
    lab.write("baseline", sales(datetime(2024, 1, 1, tzinfo=UTC), 500, 1))
    old = lab.write("production", sales(NOW - DAY, 500, 2, east=2.0))
    lab.write("production", sales(NOW - 3 * DAY, 500, 3))
    lab.evaluate_all(a_monitor(lab), [NOW], store)
    Path(old / "part-0.parquet").unlink()
    [by_shop] = asked(lab, "shop", store=store)
    assert "no longer in the source" in by_shop.reason
    assert not by_shop.carriers
