"""Tokens are added up and averaged over those who logged them; pass rates are shares of what was scored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from signals.catalogue import Bad, Family, metrics_of
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.pass_rates import QUALITIES, Scores, pass_rate_of
from signals.tokens import Tokens

COUNTS = st.builds(Tokens, *(st.integers(0, 10**12) for _ in range(7)))


@given(COUNTS, COUNTS, COUNTS)
def test_tokens_add_up_in_any_order(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Tokens.empty() == a


def test_sums_and_means_are_those_of_what_was_logged():
    tokens = Tokens(requests=4, prompts=3, prompt=30, completions=2, completion=10, totals=4, total=60)
    found = {metric.name: metric.compute(tokens) for metric in metrics_of(Family.TOKENS)}
    assert {name: each.value for name, each in found.items()} == {
        "total_token_count": 60, "total_prompt_count": 30, "total_completion_count": 10, "average_token_count": 15,
        "average_prompt_count": 10, "average_completion_count": 5, "total_token_count_per_group": 60,
    }  # fmt: skip
    assert found["average_completion_count"].details["logged"] == 2
    assert all(metric.bad is Bad.HIGHER for metric in metrics_of(Family.TOKENS))


def test_what_nobody_logged_is_undefined_and_never_zero():
    for tokens, said in (
        (Tokens(), "there are no requests"),
        (Tokens(requests=3), "none of 3 requests logged it"),
    ):
        assert {metric.compute(tokens) for metric in metrics_of(Family.TOKENS)} == {Undefined(said)}


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_pass_rate_is_a_share_of_what_was_scored_with_its_interval(quality):
    entry = METRICS[pass_rate_of(quality)]
    found = entry.compute(Scores(rows=100, sampled=40, scored=30, passed=24))
    assert isinstance(found, Measurement)
    assert (found.value, found.rows, found.details["unscored"]) == (0.8, 30, 10)
    assert found.interval == pytest.approx(tuple(binomtest(24, 30).proportion_ci(method="wilson")))
    assert (entry.bad, entry.range) == (Bad.LOWER, (0.0, 1.0))
    assert quality in entry.summary


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (Scores(0, 0, 0, 0), "there are no rows"),
        (Scores(12, 0, 0, 0), "none of 12 rows was sampled"),
        (Scores(12, 5, 0, 0), "none of 5 sampled rows has a score"),
    ],
)
def test_nothing_scored_is_undefined_and_no_pass(scores, said):
    assert METRICS["aggregated_fluency_pass_rate"].compute(scores) == Undefined(said)


def test_all_and_none_that_pass_have_an_interval_with_some_width():
    for passed in (0, 10):
        found = METRICS["aggregated_fluency_pass_rate"].compute(Scores(10, 10, 10, passed))
        assert found.value == passed / 10
        low, high = found.interval or (0, 0)
        assert high - low > 0.2
