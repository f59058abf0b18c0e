"""Which earlier values does a check have, in the store and in the backfill that is going on?"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import StoreError
from engine.histories import Histories
from engine.monitor import Monitor
from engine.results import CheckKey, MetricRow, Status
from engine.store import Store
from tests.engine.store_samples import START, a_row, a_run, breach, day, no_data

METRIC = "jensen_shannon_distance"
CHECK = CheckKey("drift", "distance", METRIC)
DRIFT = frozenset({("drift", METRIC)})
LOOKBACK = timedelta(days=14)


def monitor(name: str = "flights", **thresholds: Any) -> Monitor:
    """One with a drift signal; its metric has a dynamic threshold unless something else is given."""
    return Monitor.from_dict(
        {
            "name": name,
            "trigger": {"type": "recurrence", "frequency": "day"},
            "create_monitor": {
                "monitoring_signals": {
                    "drift": {
                        "type": "data_drift",
                        "production_data": {"input_data": {"path": "in"}, "data_column_names": {"timestamp": "at"}},
                        "metric_thresholds": {"numerical": thresholds or {METRIC: {"dynamic": True}}},
                    }
                }
            },
        }
    )


def short_history(run: Any, value: float = 0.4) -> MetricRow:
    """A value that only its own history was too short for."""
    return a_row(run, metric_value=value, threshold_value=None, threshold_kind="dynamic", breached=None,
                 status=Status.INSUFFICIENT_DATA, reason="2 earlier values in its history")  # fmt: skip


def few_rows(run: Any) -> MetricRow:
    return a_row(run, breached=None, status=Status.INSUFFICIENT_DATA, reason="2 rows, fewer than min_rows = 30")


def unjudged(run: Any) -> MetricRow:
    return a_row(run, threshold_value=None, threshold_kind=None, operator=None, breached=False)


def undefined(run: Any) -> MetricRow:
    return a_row(run, threshold_kind=None, breached=None, status=Status.UNDEFINED, reason="no baseline")


ROWS = {"ok": a_row, "breached": breach, "recorded": unjudged, "short history": short_history,
        "few rows": few_rows, "undefined": undefined, "no data": no_data}  # fmt: skip
COUNT = ("ok", "breached", "recorded", "short history")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def write(store: Store, *rows: MetricRow) -> None:
    runs = {row.scheduled_for: a_run(row.monitor, row.scheduled_for) for row in rows}
    store.write(list(runs.values()), rows)


# --------------------------------------------------------------------------------------------------- in the store


@pytest.mark.parametrize("name", ROWS)
def test_the_store_and_the_backfill_agree_on_which_values_count(store: Store, name: str) -> None:
    row = ROWS[name](a_run())
    write(store, row)
    points = [(START, row.metric_value)] if name in COUNT else []
    assert store.history("flights", DRIFT, START, day(1)).get(CHECK, []) == points
    added = Histories(None, monitor(), [START, day(1)])
    added.add([row])
    assert added.before(CHECK, day(1), LOOKBACK) == points


def test_the_store_answers_by_check_in_order_of_time(store: Store) -> None:
    write(store, *(a_row(a_run(at=day(n)), group, metric_value=n / 10) for n in (3, 1, 2) for group in ("a", "b")))
    found = store.history("flights", DRIFT, day(1), day(3))
    assert found == {CheckKey("drift", group, METRIC): [(day(1), 0.1), (day(2), 0.2)] for group in ("a", "b")}


def test_the_store_reads_what_is_asked_of_it_and_no_more(store: Store) -> None:
    run, other = a_run(), a_run("other")
    write(store, a_row(run), a_row(run, signal="second"), a_row(run, metric_name="psi"))
    write(store, a_row(other))
    assert list(store.history("flights", DRIFT, START, day(1))) == [CHECK]
    both = {("drift", "psi"), ("second", METRIC)}
    assert set(store.history("flights", both, START, day(1))) == {
        CHECK._replace(metric_name="psi"), CHECK._replace(signal="second")
    }  # fmt: skip
    assert store.history("flights", frozenset(), START, day(1)) == {}
    assert store.history("nobody", DRIFT, START, day(1)) == {}


def test_a_name_is_a_name_whatever_it_holds(store: Store) -> None:
    name = 'it\'s "odd"; -- é'
    write(store, a_row(a_run(), signal=name, metric_value=0.3))
    assert store.history("flights", {(name, METRIC)}, START, day(1)) == {CHECK._replace(signal=name): [(START, 0.3)]}


def test_a_store_that_is_not_there_has_no_history(store: Store) -> None:
    assert store.history("flights", DRIFT, START, day(1)) == {}
    assert Histories(store, monitor(), [START]).before(CHECK, START, LOOKBACK) == []


# -------------------------------------------------------------------------------------------------- before a time


def test_a_history_is_half_open_and_without_the_time_that_is_judged(store: Store) -> None:
    write(store, *(a_row(a_run(at=day(n)), metric_value=n / 100) for n in range(20)))
    before = Histories(store, monitor(), [day(15)]).before(CHECK, day(15), LOOKBACK)
    assert before == [(day(n), n / 100) for n in range(1, 15)]


def test_the_longest_lookback_of_a_metric_is_what_is_read(store: Store) -> None:
    write(store, *(a_row(a_run(at=day(n)), metric_value=n / 100) for n in range(20)))
    thresholds = {METRIC: {"dynamic": {"lookback": "P18D"}}, "psi": {"dynamic": True}}
    histories = Histories(store, monitor(**thresholds), [day(19)])
    assert len(histories.before(CHECK, day(19), timedelta(days=18))) == 18
    assert len(histories.before(CHECK, day(19), timedelta(days=3))) == 3


def test_what_is_stored_of_the_times_that_are_evaluated_again_does_not_count(store: Store) -> None:
    write(store, *(a_row(a_run(at=day(n)), metric_value=0.5) for n in range(6)))
    histories = Histories(store, monitor(), [day(2), day(4), day(5)])
    assert histories.before(CHECK, day(2), LOOKBACK) == [(day(0), 0.5), (day(1), 0.5)]
    histories.add([a_row(a_run(at=day(2)), metric_value=0.1)])
    assert histories.before(CHECK, day(4), LOOKBACK) == [(day(0), 0.5), (day(1), 0.5), (day(2), 0.1), (day(3), 0.5)]
    histories.add([no_data(a_run(at=day(4)))])
    assert [time for time, _ in histories.before(CHECK, day(5), LOOKBACK)] == [day(n) for n in range(4)]


def test_another_definition_has_the_same_history(store: Store) -> None:
    write(store, a_row(a_run(), config_hash="before", threshold_kind="fixed"))
    assert len(Histories(store, monitor(), [day(1)]).before(CHECK, day(1), LOOKBACK)) == 1


def test_a_monitor_without_dynamic_thresholds_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "signal_metrics").mkdir()
    (tmp_path / "signal_metrics" / "_delta_log").write_text("not a table: whoever reads it fails")
    with pytest.raises(StoreError):
        Histories(Store(tmp_path), monitor(), [START])
    histories = Histories(Store(tmp_path), monitor(**{METRIC: 0.1}), [START])
    histories.add([a_row(a_run())])
    assert histories.before(CHECK, day(1), LOOKBACK) == []


# ------------------------------------------------------------------------------------------------------- any split


def walked(store: Store | None, values: list[float | None], chunks: list[int]) -> list[list[tuple[datetime, float]]]:
    """The history of each day, where each chunk of days is evaluated in one go and then stored."""
    found: list[list[tuple[datetime, float]]] = []
    days = list(range(len(values)))
    for size in [*chunks, len(days)]:
        chunk, days = days[:size], days[size:]
        if not chunk:
            break
        histories, rows = Histories(store, monitor(), [day(n) for n in chunk]), list[MetricRow]()
        for n in chunk:
            found.append(histories.before(CHECK, day(n), timedelta(days=3)))
            value, run = values[n], a_run(at=day(n))
            rows.append(no_data(run) if value is None else a_row(run, metric_value=value))
            histories.add(rows[-1:])
        if store:
            write(store, *rows)
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("shared") / "store")


VALUES = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=6)


@settings(max_examples=25)  # each writes to a store a few times
@given(values=VALUES, chunks=st.lists(st.integers(1, 3), max_size=3))
def test_however_a_range_is_split_every_day_has_the_same_history(shared: Store, values: Any, chunks: Any) -> None:
    shared.write([a_run(at=day(n)) for n in range(6)], [a_row(a_run(at=day(5)), metric_value=9.0)])
    assert walked(shared, values, chunks) == walked(None, values, [])
