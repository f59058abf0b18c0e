from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.alerts import alert_starts
from signals.budgets import BEFORE, Lever, levels_within

RUNS = 8


def lever(*series: list[float], runs: int = RUNS, before: tuple[float, ...] = ()) -> Lever:
    """Checks of one threshold, each with a value per run (NaN: not judged), and perhaps one from before the range."""
    rows = [(BEFORE, check, value) for check, value in enumerate(before)]
    rows += [(run, check, each[run]) for run in range(runs) for check, each in enumerate(series)]
    judged = [row for row in rows if not np.isnan(row[2])]
    values, checks, places = [row[2] for row in judged], [row[1] for row in judged], [row[0] for row in judged]
    return Lever(np.array(values, float), np.array(checks, np.int64), np.array(places, np.int64))


def runs_with_alerts(one: Lever, level: int) -> set[int]:
    """By going through the rows, and not as the search does."""
    starts = alert_starts(one.checks, one.breaches_at(level).astype(np.int8))
    return {run for run in one.runs[starts].tolist() if run != BEFORE}


def messages(levers: list[Lever], levels: list[int], others: np.ndarray) -> int:
    runs = set(np.flatnonzero(others).tolist())
    return len(runs.union(*(runs_with_alerts(one, level) for one, level in zip(levers, levels, strict=True))))


def within(levers: list[Lever], allowed: int, others: np.ndarray | None = None) -> list[int] | None:
    return levels_within(levers, np.zeros(RUNS, np.int64) if others is None else others, allowed)


Values = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, np.nan]), min_size=RUNS, max_size=RUNS)
Levers = st.lists(st.lists(Values, min_size=1, max_size=3).map(lambda series: lever(*series)), min_size=1, max_size=3)
Others = st.lists(st.integers(0, 1), min_size=RUNS, max_size=RUNS).map(np.array)


@settings(max_examples=200)
@given(Levers, Others, st.integers(0, RUNS))
def test_the_budget_is_kept(levers: list[Lever], others: np.ndarray, allowed: int) -> None:
    levels = within(levers, allowed, others)
    if levels is None:
        assert others.sum() > allowed
    else:
        assert messages(levers, levels, others) <= allowed


@settings(max_examples=200)
@given(Levers, Others, st.integers(0, RUNS), st.integers(0, RUNS))
def test_a_bigger_budget_is_never_looser(levers: list[Lever], others: np.ndarray, one: int, other: int) -> None:
    small, big = (within(levers, allowed, others) for allowed in sorted((one, other)))
    if small is not None:
        assert big is not None
        assert all(tight >= loose for loose, tight in zip(small, big, strict=True))


@given(Levers)
def test_no_lever_is_tightened_until_most_of_its_rows_breach(levers: list[Lever]) -> None:
    for one, level in zip(levers, within(levers, RUNS) or [], strict=True):
        assert one.breaches_at(level).sum() <= len(one.badness) / 2


@given(Levers)
def test_the_order_of_a_checks_neighbours_does_not_matter(levers: list[Lever]) -> None:
    # Rows of different checks may stand in any order; those of one check stand in the order of time.
    shuffled = [
        Lever(one.badness[order], one.checks[order], one.runs[order])
        for one in levers
        for order in [np.argsort(one.checks, kind="stable")]
    ]
    assert within(levers, 3) == within(shuffled, 3)


def test_equal_values_breach_together() -> None:
    one = lever([5, 0, 5, 0, 5, 0, 0, 0])
    assert within([one], 2) == [0]
    assert within([one], 3) == [1]


def test_what_was_breached_before_the_range_is_no_message() -> None:
    assert within([lever([9, 0, 0, 0, 0, 0, 0, 0], before=(9,))], 0) == [1]
    assert within([lever([9, 0, 0, 0, 0, 0, 0, 0], before=(0,))], 0) == [0]


def test_thresholds_that_alert_in_the_same_runs_share_their_messages() -> None:
    together = [lever([0, 7, 0, 0, 4, 0, 0, 0]), lever([0, 9, 0, 0, 8, 0, 0, 0])]
    assert within(together, 2) == [2, 2]


def test_the_first_levers_have_the_first_messages() -> None:
    assert within([lever([0, 7, 0, 0, 0, 0, 0, 0]), lever([0, 0, 0, 9, 0, 0, 0, 0])], 1) == [1, 0]


def test_a_threshold_that_always_breaches_is_no_way_to_keep_a_budget() -> None:
    # At 1 and below there is one endless chain, at 2 there are four.
    assert within([lever([2, 1, 2, 1, 2, 1, 2, 1])], 1) == [0]


@pytest.mark.parametrize("allowed", [0, 1])
def test_checks_that_cannot_be_moved_may_exceed_the_budget_alone(allowed: int) -> None:
    others = np.array([1, 0, 0, 2, 0, 0, 0, 0])
    assert within([lever([1.0] * RUNS)], allowed, others) is None


def test_a_lever_without_rows_stays_where_it_is() -> None:
    assert within([lever([np.nan] * RUNS)], 3) == [0]
