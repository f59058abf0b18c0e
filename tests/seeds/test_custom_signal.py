"""The seed's custom signal: the standard deviation of every column of the month that ended a week ago."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.run import Evaluation
from tests.engine.labs import by_name
from tests.seeds.by_hand import value
from tests.seeds.workshop import Workshop

SCHEDULE = (Path(__file__).parent / "snippets" / "custom-signal.yaml").read_text(encoding="utf-8")
COMPONENTS = Path(__file__).parent / "components" / "payments.py"
COLUMNS = ["TRANSACTIONAMOUNT", "LOCALHOUR", "TRANSACTIONAMOUNTUSD", "DIGITALITEMCOUNT", "PHYSICALITEMCOUNT"]
TIMES = [datetime(2023, 6, day, tzinfo=UTC) for day in (8, 15)]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Seven weeks; the number of digital items hardly varies, the others do."""
    random, count = np.random.default_rng(3), 2_000
    amount = random.lognormal(5, 1, count).round(2)
    return pd.DataFrame({
        "at": pd.date_range("2023-05-01", "2023-06-16", count, tz="UTC").floor("s"),
        "TRANSACTIONAMOUNT": amount,
        "LOCALHOUR": random.integers(0, 24, count),
        "TRANSACTIONAMOUNTUSD": (amount * 1.1).round(2),
        "DIGITALITEMCOUNT": random.integers(0, 2, count),
        "PHYSICALITEMCOUNT": random.integers(0, 20, count),
    })  # fmt: skip


@pytest.fixture(scope="module")
def workshop(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("custom") / "project")
    workshop.csv("my_production_data", rows, rows["at"].dt.strftime("%Y-%m"))
    workshop.component("my_custom_signal", ["1.0.0"], COMPONENTS, "std_deviation")
    workshop.component("custom_preprocessor", ["1.0.0"], COMPONENTS, "transactions")
    return workshop


@pytest.fixture(scope="module")
def runs(spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(TIMES, workshop.run(spark, SCHEDULE, TIMES), strict=True))


def test_every_column_has_its_standard_deviation_of_the_window(runs: dict[datetime, Evaluation], rows: pd.DataFrame):
    for time, evaluation in runs.items():
        assert evaluation.errors == ()
        end = time - timedelta(days=7)
        within = rows[rows["at"].ge(end - timedelta(days=30)) & rows["at"].lt(end)]
        found = by_name(evaluation)
        assert set(found) == {("customSignal", name, "std_deviation") for name in COLUMNS}
        for name in COLUMNS:
            row = found["customSignal", name, "std_deviation"]
            assert value(row) == pytest.approx(within[name].std())
            assert (row.window_start, row.window_end) == (end - timedelta(days=30), end)
            assert (row.threshold_value, row.operator) == (2.0, "greater_than")


def test_what_is_above_the_threshold_breaches(runs: dict[datetime, Evaluation]):
    for evaluation in runs.values():
        breached = {row.group for row in evaluation.breaches}
        assert breached == set(COLUMNS) - {"DIGITALITEMCOUNT"}
