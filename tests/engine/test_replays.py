"""Other thresholds over rows that are stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.judgements import Judgements, read_judgements
from engine.replays import Assignment, Replay, Setting, needs_range, replay
from engine.results import Status
from engine.store import Store
from engine.thresholds_in_force import InForce, thresholds_in_force, with_assignments
from signals.alerts import AlertCounts
from signals.thresholds import FixedThreshold, Operator, RangeThreshold
from tests.engine.replay_samples import judged, write_rows, write_series
from tests.engine.store_samples import day

JS = "jensen_shannon_distance"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def read(store: Store, **between: Any) -> Judgements:
    return read_judgements(store, "flights", between.get("start"), between.get("end"))


def replayed(judgements: Judgements, bound: float | RangeThreshold | None, **scope: str) -> Replay:
    return replay(judgements, [Setting(scope.pop("metric", JS), bound, **scope).assigned(judgements)])


def counts(found: Replay) -> tuple[AlertCounts, AlertCounts]:
    beside = found.beside()
    return beside.then, beside.now


def test_breaches_alerts_and_messages_then_and_now(store: Store) -> None:
    write_series(store, dest=[0.2, 0.2, 0.05, 0.3], origin=[0.05, 0.2, 0.2, 0.2])
    then, now = counts(replayed(read(store), 0.25))
    assert then == AlertCounts(breaches=6, alerts=3, messages=3)
    assert now == AlertCounts(breaches=1, alerts=1, messages=1)


def test_nothing_changes_without_a_setting(store: Store) -> None:
    write_series(store, dest=[0.2, None, 0.2, 0.05], origin=[0.05, 0.2, 0.2, 0.2])
    then, now = counts(replay(read(store), []))
    assert then == now == AlertCounts(breaches=5, alerts=2, messages=2)


def test_a_check_that_was_breached_before_the_range_does_not_begin_in_it(store: Store) -> None:
    write_series(store, dest=[0.2, 0.2, 0.05, 0.2])
    then, now = counts(replayed(read(store, start=day(1)), 0.01))
    assert then == AlertCounts(breaches=2, alerts=1, messages=1)
    assert now == AlertCounts(breaches=3, alerts=0, messages=0)


def test_an_empty_day_before_the_range_does_not_hide_the_breach_before_it(store: Store) -> None:
    write_series(store, dest=[0.2, None, 0.2])
    then, _ = counts(replayed(read(store, start=day(2)), 0.1))
    assert then == AlertCounts(breaches=1, alerts=0, messages=0)


def test_the_end_of_a_range_is_no_part_of_it(store: Store) -> None:
    write_series(store, dest=[0.2, 0.05, 0.2])
    assert read(store, start=day(0), end=day(2)).times == (day(0), day(1))


def test_what_was_recorded_only_is_judged_in_the_metrics_own_direction(store: Store) -> None:
    write_series(store, threshold=None, dest=[0.2, 0.05])
    then, now = counts(replayed(read(store), 0.1))
    assert (then.breaches, now.breaches) == (0, 1)


def test_null_judges_nothing(store: Store) -> None:
    write_series(store, dest=[0.2, 0.05, 0.2])
    assert counts(replayed(read(store), None))[1] == AlertCounts()


def test_a_rows_own_operator_counts(store: Store) -> None:
    below = {"operator": "less_than", "breached": False, "status": Status.OK}
    write_rows(store, [judged(number, "dest", value, **below) for number, value in enumerate([0.2, 0.11])])
    assert counts(replayed(read(store), 0.15))[1].breaches == 1


def test_p_values_breach_below(store: Store) -> None:
    metric = "pearsons_chi_squared_test"
    write_rows(
        store, [judged(n, "dest", value, None, metric_name=metric) for n, value in enumerate([0.5, 0.001, 1e-9, 0.0])]
    )
    assert counts(replayed(read(store), 1e-5, metric=metric))[1] == AlertCounts(breaches=2, alerts=1, messages=1)


def test_too_few_rows_are_too_few_for_any_threshold(store: Store) -> None:
    few = {"breached": None, "status": Status.INSUFFICIENT_DATA, "reason": "3 rows, fewer than min_rows = 30"}
    write_rows(store, [judged(0, "dest", 0.2, **few), judged(1, "dest", 0.2)])
    assert counts(replayed(read(store), 0.01))[1] == AlertCounts(breaches=1, alerts=1, messages=1)


def test_a_history_that_was_too_short_does_not_matter_to_a_fixed_threshold(store: Store) -> None:
    young = {
        "breached": None,
        "status": Status.INSUFFICIENT_DATA,
        "reason": "2 earlier values in its history",
        "threshold_value": None,
        "threshold_kind": "dynamic",
        "operator": "greater_than",
    }
    write_rows(store, [judged(0, "dest", 0.2, **young), judged(1, "dest", 0.05, threshold_kind="dynamic")])
    then, now = counts(replayed(read(store), 0.1))
    assert (then.breaches, now.breaches) == (0, 1)


def test_dynamic_thresholds_are_replayed_as_they_were(store: Store) -> None:
    write_rows(store, [judged(0, "dest", 0.2, 0.15, threshold_kind="dynamic"), judged(0, "origin", 0.2)])
    found = replayed(read(store), 0.3, feature="origin")
    assert counts(found)[1] == AlertCounts(breaches=1, alerts=1, messages=1)


def test_a_range_judges_both_ends(store: Store) -> None:
    write_series(store, dest=[0.05, 0.2, 0.5])
    found = replayed(read(store), RangeThreshold(0.1, 0.4))
    assert counts(found)[1].breaches == 2


def test_a_number_does_not_say_on_which_side_of_a_range_it_is(store: Store) -> None:
    write_rows(store, [judged(0, "dest", 0.2, metric_name="mean", threshold_kind="range")])
    judgements = read(store)
    assert needs_range(judgements, Setting("mean", 3.0).assigned(judgements))
    assert not needs_range(judgements, Setting("mean", RangeThreshold(0, 1)).assigned(judgements))
    assert not needs_range(judgements, Setting("mean", None).assigned(judgements))


def relative(number: int, value: float, before: float | None, above: float = 0.1) -> Any:
    details = {} if before is None else {"baseline_value": before}
    breached = None if before is None else value > before + above
    status = Status.UNDEFINED if breached is None else Status.BREACHED if breached else Status.OK
    return judged(
        number,
        "dest",
        value,
        metric_name="null_value_rate",
        threshold_value=None if before is None else before + above,
        threshold_kind=None if before is None else "relative_to_baseline",
        breached=breached,
        status=status,
        reason="no baseline" if before is None else None,
        details=details,
    )


def test_a_threshold_that_is_relative_to_the_baseline_stays_so(store: Store) -> None:
    write_rows(store, [relative(0, 0.35, 0.3), relative(1, 0.35, 0.0), relative(2, 0.35, 0.2), relative(3, 0.9, None)])
    judgements = read(store)
    then, now = counts(replayed(judgements, 0.2, metric="null_value_rate"))
    assert (then.breaches, now.breaches) == (2, 1)
    assert thresholds_in_force(judgements)[0] == InForce(
        "relative_to_baseline", FixedThreshold(0.1, Operator.GREATER_THAN, relative_to_baseline=True)
    )


def test_settings_may_be_about_a_signal_or_a_feature(store: Store) -> None:
    rows = [judged(0, "dest", 0.2), judged(0, "origin", 0.2), judged(0, "dest", 0.2, signal="other")]
    judgements = read(write_rows(store, rows))
    assert counts(replayed(judgements, 0.5, feature="dest"))[1].breaches == 1
    assert counts(replayed(judgements, 0.5, signal="drift"))[1].breaches == 1
    assert counts(replayed(judgements, 0.5, signal="drift", feature="dest"))[1].breaches == 2


def test_of_two_assignments_the_later_one_counts(store: Store) -> None:
    judgements = read(write_series(store, dest=[0.2]))
    assert counts(replay(judgements, [Assignment((0,), 0.5), Assignment((0,), 0.1)]))[1].breaches == 1


def test_counts_by_label_add_up_to_all_breaches_and_alerts(store: Store) -> None:
    rng = np.random.default_rng(5)
    write_series(store, **{name: rng.random(12).tolist() for name in "abc"})
    found = replayed(read(store), 0.6)
    months = ["early" if number < 6 else "late" for number in range(12)]
    for parts in (found.by_check(), list(found.beside_by(months, found.judgements.run).values())):
        for side in ("then", "now"):
            each = [getattr(part, side) for part in parts]
            whole = getattr(found.beside(), side)
            assert sum(part.breaches for part in each) == whole.breaches
            assert sum(part.alerts for part in each) == whole.alerts


def test_thresholds_in_force_are_those_of_the_last_row_that_tells(store: Store) -> None:
    rows = [judged(0, "dest", 0.2, 0.1), judged(1, "dest", 0.2, 0.3), judged(0, "origin", 0.2, 0.1)]
    rows += [judged(1, "origin", 0.2, None), judged(0, "carrier", 0.2, threshold_kind="dynamic")]
    judgements = read(write_rows(store, rows))
    found = dict(zip((check.group for check in judgements.checks), thresholds_in_force(judgements), strict=True))
    assert found == {
        "carrier": InForce("dynamic"),
        "dest": InForce("fixed", FixedThreshold(0.3, Operator.GREATER_THAN)),
        "origin": InForce(),
    }


def test_both_ends_of_a_range_are_put_together_from_the_rows_that_tell_one_each(store: Store) -> None:
    low = {"threshold_kind": "range", "operator": "less_than", "metric_name": "mean"}
    high = {**low, "operator": "greater_than"}
    judgements = read(write_rows(store, [judged(0, "dest", 0.2, 0.1, **low), judged(1, "dest", 0.2, 0.3, **high)]))
    assert thresholds_in_force(judgements) == [InForce("range", RangeThreshold(0.1, 0.3))]
    one_end = read(write_rows(store, [judged(1, "dest", 0.2, 0.1, **low)]))
    assert thresholds_in_force(one_end) == [InForce("range")]


def test_an_assigned_number_keeps_the_operator(store: Store) -> None:
    rows = [judged(0, "dest", 0.2, operator="less_than", breached=False, status=Status.OK), judged(0, "x", 0.2, None)]
    judgements = read(write_rows(store, rows))
    now = with_assignments(judgements, thresholds_in_force(judgements), [Assignment((0, 1), 0.5)])
    assert now == [
        InForce("fixed", FixedThreshold(0.5, Operator.LESS_THAN)),
        InForce("fixed", FixedThreshold(0.5, Operator.GREATER_THAN)),
    ]


def test_a_replay_reads_no_evidence_that_it_does_not_need(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(store, dest=[0.2, 0.05])
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("evidence was opened"))
    assert counts(replayed(read(store), 0.01))[1].breaches == 2
