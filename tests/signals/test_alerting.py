"""An alert is a transition: it begins once, goes on in silence, and ends once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.alerting import AlertRule, AlertState, Notice, Seen, Standing, after

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
T, S, R = Notice.TRIGGERED, Notice.STILL, Notice.RECOVERED
FLAGS = {"x": True, ".": False, "?": None}


def told(flags: str, rule: AlertRule = AlertRule()) -> list[Notice | None]:  # noqa: B008 - frozen
    """What is told of daily evaluations: x breached, . fine, ? not judged, ~ fine and not good enough to end."""
    standing, notices = Standing(), []
    for number, flag in enumerate(flags):
        seen = Seen(START + number * DAY, FLAGS.get(flag, False), clear=flag != "~")
        standing, notice = after(standing, seen, rule)
        notices.append(notice)
    return notices


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("...", [None, None, None]),
        ("x", [T]),
        ("xxx.", [T, None, None, R]),
        ("x.x.", [T, R, T, R]),
        ("x??x.", [T, None, None, None, R]),  # no data neither begins nor ends it
        ("?x", [None, T]),
        ("x~~.", [T, None, None, R]),  # hysteresis
    ],
)
def test_it_is_told_when_it_begins_and_when_it_ends(flags, expected):
    assert told(flags) == expected


def test_two_of_three_have_to_breach_and_one_alone_is_nobodys_business():
    rule = AlertRule(breaches=2, of=3)
    assert told("x..x.x..", rule) == [None, None, None, None, None, T, R, None]


def test_it_is_told_again_every_so_often_while_it_goes_on():
    rule = AlertRule(again_after=2 * DAY)
    assert told("xxxxx?xx.", rule) == [T, None, S, None, S, None, S, None, R]


def test_its_end_may_be_of_no_interest():
    assert told("x.", AlertRule(recovery=False)) == [T, None]


def test_a_run_that_is_done_again_is_told_once():
    first, notice = after(Standing(), Seen(START, True), AlertRule())
    assert notice is T
    again, notice = after(first, Seen(START, True), AlertRule())
    assert (again, notice) == (first, None)
    ended, notice = after(again, Seen(START, False), AlertRule())  # and this time it did not breach
    assert (notice, ended.state) == (R, AlertState.CLEARED)


def test_what_is_evaluated_late_changes_nothing_that_was_told():
    standing, _ = after(Standing(), Seen(START + DAY, False), AlertRule())
    assert after(standing, Seen(START, True), AlertRule()) == (standing, None)


def test_what_began_in_silence_is_told_once_the_silence_ends_and_only_if_it_goes_on():
    rule, standing = AlertRule(), Standing()
    told_by_day: list[Notice | None] = []
    for number, (breached, silent) in enumerate([(True, True), (True, True), (True, False), (False, False)]):
        standing, notice = after(standing, Seen(START + number * DAY, breached), rule, silent=silent)
        told_by_day.append(notice)
    assert told_by_day == [None, None, T, R]
    begun, _ = after(Standing(), Seen(START, True), rule, silent=True)
    assert after(begun, Seen(START + DAY, False), rule)[1] is None  # nobody knew of it


def test_an_alert_behind_missing_data_is_not_forgotten():
    standing, _ = after(Standing(), Seen(START, True), AlertRule())
    silent, _ = after(standing, Seen(START + DAY, None), AlertRule())
    assert (silent.state, silent.since) == (AlertState.NO_DATA, START)


@pytest.mark.parametrize("counts", [(0, 1), (2, 1)])
def test_a_rule_that_could_never_be_kept_is_refused(counts):
    with pytest.raises(ValueError, match="cannot breach"):
        AlertRule(*counts)


rules = st.integers(1, 4).flatmap(lambda of: st.builds(AlertRule, st.integers(1, of), st.just(of)))


@given(st.text("x.?~", max_size=40), rules)
def test_beginnings_and_ends_take_turns(flags, rule):
    notices = [notice for notice in told(flags, rule) if notice]
    assert all(notice is (R if number % 2 else T) for number, notice in enumerate(notices))


@given(st.text("x.", max_size=40))
def test_without_rules_each_unbroken_chain_of_breaches_is_one_alert(flags):
    assert told(flags).count(T) == len([chain for chain in flags.split(".") if chain])
