from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals.alerts import BREACHED, UNJUDGED, AlertCounts, alert_counts, alert_starts

Rows = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-1, 0, 1])), max_size=40)


def starts(checks: list[int], flags: list[int]) -> list[bool]:
    return alert_starts(np.array(checks, np.int64), np.array(flags, np.int8)).tolist()


def test_an_alert_is_the_first_breach_of_a_chain() -> None:
    assert starts([0] * 6, [0, 1, 1, 0, 1, 0]) == [False, True, False, False, True, False]


def test_the_first_row_of_a_check_is_an_alert_when_it_is_a_breach() -> None:
    assert starts([0, 0], [1, 1]) == [True, False]


def test_rows_that_were_not_judged_neither_end_nor_start_a_chain() -> None:
    assert starts([0] * 5, [1, -1, 1, 0, -1]) == [True, False, False, False, False]
    assert starts([0] * 3, [-1, 1, 1]) == [False, True, False]


def test_checks_do_not_go_on_with_each_others_chains() -> None:
    assert starts([0, 1, 0, 1], [1, 0, 1, 1]) == [True, False, False, True]


def test_several_alerts_of_one_run_are_one_message() -> None:
    flags, found = np.array([1, 1, 1, 0], np.int8), np.array([True, True, False, False])
    assert alert_counts(flags, found, np.array([0, 0, 1, 1])) == AlertCounts(breaches=3, alerts=2, messages=1)


def test_nothing_is_counted_of_nothing() -> None:
    assert alert_counts(np.zeros(0, np.int8), np.zeros(0, np.bool_), np.zeros(0, np.int64)) == AlertCounts()


@given(Rows)
def test_alerts_are_what_a_person_would_count_going_through_each_check(rows: list[tuple[int, int]]) -> None:
    triggered: dict[int, bool] = {}
    expected: list[bool] = []
    for check, flag in rows:
        expected.append(flag == BREACHED and not triggered.get(check, False))
        if flag != UNJUDGED:
            triggered[check] = flag == BREACHED
    assert starts([check for check, _ in rows], [flag for _, flag in rows]) == expected
