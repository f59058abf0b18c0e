"""Thresholds for a budget, proposed and then replayed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alert_budgets import AlertBudget
from engine.judgements import Check, Judgements, read_judgements
from engine.replays import replay
from engine.store import Store
from engine.threshold_proposals import Proposal, propose
from engine.thresholds_in_force import thresholds_in_force
from signals.catalogue import Kind
from signals.thresholds import FixedThreshold, Operator, RangeThreshold
from tests.engine.replay_samples import judged, write_rows, write_series

START = datetime(2013, 6, 1, 3, 15, tzinfo=UTC)
OPERATORS = tuple(Operator)


def daily(days: int, start: datetime = START) -> list[datetime]:
    return [start + timedelta(days=number) for number in range(days)]


@pytest.mark.parametrize(
    ("text", "days", "allowed"),
    [
        ("3/month", 92, 9),  # June, July, August
        ("3/month", 30, 3),
        ("3/month", 29, 2),
        ("1/week", 92, 13),
        ("2/day", 92, 184),
        ("1/quarter", 92, 1),
        ("1/quarter", 91, 0),
        ("12/year", 365, 12),
        ("0/month", 92, 0),
        (" 10 / Months ", 30, 10),
    ],
)
def test_a_budget_is_for_the_periods_of_the_calendar(text: str, days: int, allowed: int) -> None:
    assert AlertBudget.parse(text).allowed(daily(days)) == allowed


def test_a_budget_of_one_run_is_for_a_day() -> None:
    assert AlertBudget.parse("5/day").allowed(daily(1)) == 5


def test_a_day_without_a_run_does_not_change_how_long_a_range_is() -> None:
    times = daily(30)
    assert AlertBudget.parse("3/month").allowed([*times[:10], *times[11:]]) == 3


@pytest.mark.parametrize("text", ["3", "3/fortnight", "/month", "-1/month", "1.5/week", ""])
def test_what_is_no_budget_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="3/month"):
        AlertBudget.parse(text)


# --------------------------------------------------------------------------------------------------- proposals

RUNS = 10
VALUES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.25, 1.0, np.nan]), min_size=RUNS, max_size=RUNS)


@st.composite
def some_judgements(draw: st.DrawFn) -> Judgements:
    """Up to four checks; each is judged by one operator, perhaps relative to a baseline that moves."""
    series = draw(st.lists(VALUES, min_size=1, max_size=4))
    operators = [draw(st.sampled_from(OPERATORS[:4])) for _ in series]
    relative = [draw(st.booleans()) for _ in series]
    value = np.array(series).T.ravel()
    check = np.tile(np.arange(len(series)), RUNS)
    bases = draw(st.lists(st.sampled_from([0.1, 0.3, 1 / 3]), min_size=len(value), max_size=len(value)))
    base = np.where(np.array(relative)[check], bases, 0.0)
    return Judgements(
        checks=tuple(Check("drift", f"x{number}", None, f"metric{number % 2}") for number in range(len(series))),
        times=tuple(daily(RUNS)),
        check=check,
        run=np.repeat(np.arange(RUNS), len(series)),
        value=value,
        bound=base + 0.5,
        base=base,
        operator=np.array([OPERATORS.index(each) for each in operators])[check],
        kind=np.array(["relative_to_baseline" if each else "fixed" for each in relative], object)[check],
        flag=np.where(np.isnan(value), -1, 0).astype(np.int8),
        judgeable=~np.isnan(value),
    )


def proposals_for(judgements: Judgements, allowed: int, **how: Any) -> list[Proposal]:
    found = propose(replay(judgements, []), thresholds_in_force(judgements), allowed, how.pop("kinds", {}), **how)
    assert found is not None
    return found


@settings(max_examples=150)
@given(some_judgements(), st.integers(0, RUNS))
def test_proposed_thresholds_keep_the_budget_when_they_are_replayed(judgements: Judgements, allowed: int) -> None:
    proposals = proposals_for(judgements, allowed)
    again = replay(judgements, [proposal.assignment for proposal in proposals])
    assert again.beside().now.messages <= allowed


@settings(max_examples=150)
@given(some_judgements(), st.integers(0, RUNS), st.integers(0, RUNS))
def test_thresholds_of_a_bigger_budget_are_never_looser(judgements: Judgements, one: int, other: int) -> None:
    small, big = (proposals_for(judgements, allowed) for allowed in sorted((one, other)))
    for loose, tight in zip(small, big, strict=True):
        assert isinstance(loose.threshold, FixedThreshold)
        assert isinstance(tight.threshold, FixedThreshold)
        if loose.threshold.operator in (Operator.GREATER_THAN, Operator.GREATER_THAN_OR_EQUAL):
            assert tight.threshold.value <= loose.threshold.value
        else:
            assert tight.threshold.value >= loose.threshold.value


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def read(store: Store) -> Judgements:
    return read_judgements(store, "flights", None, None)


def test_checks_that_share_a_threshold_share_the_proposed_one(store: Store) -> None:
    rows = [judged(n, "dest", value, 0.1) for n, value in enumerate([0.2, 0.31, 0.2, 0.2])]
    rows += [judged(n, "origin", value, 0.1) for n, value in enumerate([0.2, 0.2, 0.2, 0.4])]
    rows += [judged(n, "weekday", value, 0.9) for n, value in enumerate([0.95, 0.8, 0.8, 0.8])]
    shared, own = proposals_for(read(write_rows(store, rows)), 2)
    assert [len(each.checks) for each in (shared, own)] == [2, 1]
    assert shared.threshold == FixedThreshold(0.31, Operator.GREATER_THAN)
    assert own.threshold == FixedThreshold(0.8, Operator.GREATER_THAN)


def test_numbers_and_categories_are_apart(store: Store) -> None:
    judgements = read(write_series(store, dest=[0.2, 0.05], distance=[0.3, 0.05]))
    kinds = {judgements.checks[0]: Kind.CATEGORICAL, judgements.checks[1]: Kind.NUMERICAL}
    assert [each.kind for each in proposals_for(judgements, 1, kinds=kinds)] == [Kind.CATEGORICAL, Kind.NUMERICAL]


def test_what_is_fixed_stays_and_counts(store: Store) -> None:
    judgements = read(write_series(store, dest=[0.05, 0.2, 0.05, 0.05], origin=[0.05, 0.05, 0.3, 0.05]))
    (proposal,) = proposals_for(judgements, 1, fixed=[0])
    assert judgements.checks[proposal.checks[0]].group == "origin"
    assert proposal.threshold == FixedThreshold(0.3, Operator.GREATER_THAN)


def test_dynamic_thresholds_and_equalities_stay_as_they_are(store: Store) -> None:
    rows = [judged(0, "dest", 0.2, threshold_kind="dynamic"), judged(0, "origin", 0.2, operator="equals")]
    judgements = read(write_rows(store, [*rows, judged(0, "carrier", 0.05)]))
    found = proposals_for(judgements, 1)
    assert [judgements.checks[place].group for each in found for place in each.checks] == ["carrier"]


def test_a_budget_that_others_exceed_alone_is_not_kept(store: Store) -> None:
    judgements = read(write_rows(store, [judged(0, "dest", 0.2, threshold_kind="dynamic"), judged(0, "x", 0.05)]))
    assert propose(replay(judgements, []), thresholds_in_force(judgements), 0, {}) is None


def test_a_range_is_widened_on_both_sides(store: Store) -> None:
    low = {"metric_name": "mean", "threshold_kind": "range", "operator": "less_than"}
    high = {**low, "operator": "greater_than"}
    rows = [judged(0, "x", 1.2, 1.0, **high), judged(1, "x", 0.7, 0.5, **low), judged(2, "x", 0.4, 0.5, **low)]
    rows += [judged(3, "x", 0.7, 0.5, **low)]
    (proposal,) = proposals_for(read(write_rows(store, rows)), 0)
    assert proposal.threshold == RangeThreshold(0.3, 1.2)
    (proposal,) = proposals_for(read(store), 1)
    assert proposal.threshold == RangeThreshold(0.4, 1.1)


def test_signals_take_turns() -> None:
    value = np.array([0.1, 0.2, 0.3])
    judgements = Judgements(
        checks=(Check("a", "x", None, "m"), Check("a", "x", None, "n"), Check("b", "x", None, "m")),
        times=tuple(daily(1)),
        check=np.arange(3),
        run=np.zeros(3, np.int64),
        value=value,
        bound=value,
        base=np.zeros(3),
        operator=np.zeros(3, np.int64),
        kind=np.array(["fixed"] * 3, object),
        flag=np.zeros(3, np.int8),
        judgeable=np.ones(3, np.bool_),
    )
    assert [each.checks for each in proposals_for(judgements, 1)] == [(0,), (2,), (1,)]
    nothing = replace(judgements, judgeable=np.zeros(3, np.bool_))
    assert proposals_for(nothing, 1) == []
