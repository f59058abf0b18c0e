"""What `driftline run` prints, without Spark: evaluations are values."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from engine.monitor import Monitor
from engine.results import MetricRow, Status
from engine.run import Evaluation
from engine.triggers import Frequency, Recurrence, Trigger
from jobs.found import Found
from jobs.verdicts import severity, verdict_of
from tests.jobs.conftest import AT, a_row, a_run

RUN = a_run(rows_read=5680, wall_seconds=12.2)
MONITOR = Monitor("flights", (), Trigger(Recurrence(Frequency.DAY)))


def printed(rows: Sequence[MetricRow], **fields: Any) -> str:
    given: dict[str, Any] = {"rows_read": 5680, "wall_seconds": 12.2}
    run = a_run(**(given | fields))
    since = {rows[0].key: AT - timedelta(days=3)} if rows else {}
    written = io.StringIO()
    console = Console(file=written, width=120)
    console.print(verdict_of(Found(MONITOR, Evaluation(run, tuple(rows)), since), "/somewhere/store"))
    return written.getvalue()


def test_the_first_line_is_the_verdict() -> None:
    rows = [a_row(RUN, "distance", 0.4), a_row(RUN, "carrier"), a_row(RUN, "dest", None)]
    first = printed(rows).splitlines()[0]
    assert first == "flights · 2 Jul 2013 03:15 UTC · 1 of 3 checks breached · 1 not judged"


def test_a_calm_run_says_so() -> None:
    assert printed([a_row(RUN, "carrier")]).splitlines()[0].endswith("no breach in 1 check")


def test_a_run_without_data_does_not_look_calm() -> None:
    text = printed([a_row(RUN, "distance", None), a_row(RUN, "carrier", None)])
    assert "nothing could be judged" in text
    assert "drift no data: distance, carrier (population_stability_index): the window is empty" in text


def test_a_breach_says_value_threshold_ratio_chance_since_and_rows() -> None:
    text = printed([a_row(RUN, "distance", 0.4567, expected_p95=0.0213)])
    line = next(line for line in text.splitlines() if line.startswith("✗ distance"))
    assert line.split() == ["✗", "distance", "0.4567", ">", "0.1", "4.6×", "≤", "0.021", "29", "Jun", "1,234"]


def test_a_breach_that_is_new_says_so() -> None:
    assert "this run" in printed([a_row(RUN, "carrier"), a_row(RUN, "distance", 0.4)])


def test_an_interval_is_half_its_width() -> None:
    assert "0.4 ± 0.05" in printed([a_row(RUN, "distance", 0.4, interval_low=0.35, interval_high=0.45)])


def test_the_worst_breach_comes_first() -> None:
    text = printed([a_row(RUN, "a", 0.2), a_row(RUN, "b", 0.9), a_row(RUN, "c", 0.3, 0.0)])
    assert text.index("✗ b") < text.index("✗ a") < text.index("✗ c")


def test_a_value_far_below_its_threshold_is_as_bad_as_one_far_above() -> None:
    low = a_row(RUN, "a", 0.05, 0.5, operator="less_than", breached=True, status=Status.BREACHED)
    assert severity(low)[0] == pytest.approx(severity(a_row(RUN, "b", 5, 0.5))[0])


def test_many_breaches_are_cut_and_counted() -> None:
    text = printed([a_row(RUN, f"feature_{number}", 0.4) for number in range(30)])
    assert text.count("✗") == 20
    assert "and 10 more" in text


def test_notes_and_provisional_values_are_told() -> None:
    rows = [a_row(RUN, "accuracy", reason="61.0% of 100 rows are labelled")]
    text = printed(rows, notes=("found the timestamp column 'at'",))
    assert "drift: accuracy (population_stability_index): 61.0% of 100 rows are labelled" in text
    assert "note: found the timestamp column 'at'" in text


def test_the_next_command_can_be_pasted() -> None:
    text = printed([a_row(RUN, "it's a feature", 0.4)])
    assert """--feature 'it'"'"'s a feature' --store /somewhere/store""" in text


def test_everything_else_is_folded_to_counts() -> None:
    rows = [a_row(RUN, f"feature_{number}") for number in range(1000)]
    assert "drift     1,000          ·   1,000            ·" in printed(rows)
