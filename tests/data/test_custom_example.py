"""The custom signal of docs/custom-signals.md runs on the flights, and the page shows what it comes to."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from engine.monitor import Monitor
from engine.run import evaluate
from tests.engine.labs import by_name

ROOT = Path(__file__).parents[2]
AT = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)


def test_the_examples_numbers_are_those_of_the_raw_rows_and_of_its_page(spark):
    found = evaluate(spark, Monitor.from_yaml(ROOT / "conf" / "monitors" / "flights_spread.yaml"), AT)
    (day,) = (ROOT / "data" / "flights" / "inputs" / "date=2013-07-01").iterdir()
    flights = pd.read_parquet(day)
    rows = {name[1:]: row for name, row in by_name(found).items()}
    spread = {name: rows[name, "std_deviation"].metric_value for name in ("pressure", "visibility")}
    assert spread == pytest.approx(flights[[*spread]].std().to_dict(), rel=1e-12)
    assert {name: rows[name, "flights"].metric_value for name in ("EWR", "JFK", "LGA")} == flights.groupby(
        "origin"
    ).size().to_dict()
    assert [(row.group, row.metric_name) for row in found.breaches] == [("visibility", "std_deviation")]
    assert rows["LGA", "flights"].operator == "less_than"

    page = (ROOT / "docs" / "custom-signals.md").read_text()
    for (group, metric), row in rows.items():
        value = f"{row.metric_value:.3f}" if metric == "std_deviation" else f"{row.metric_value:.0f}"
        assert f"| {group} | {metric} | {value} |" in page


def test_the_page_shows_the_files_as_they_are():
    page = (ROOT / "docs" / "custom-signals.md").read_text()
    component = (ROOT / "conf" / "components" / "spread.py").read_text()
    monitor = (ROOT / "conf" / "monitors" / "flights_spread.yaml").read_text()
    assert component.partition("\n\n")[2] in page
    assert monitor[monitor.index("  monitoring_signals:") :] in page
