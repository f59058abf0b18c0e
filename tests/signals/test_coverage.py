"""How much of a window is labelled."""

import pytest

from signals.catalogue import find_metric
from signals.coverage import Coverage
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS

DAY = Coverage(rows=200, labelled=150, late=20, truth_rows=180, duplicate_truth_rows=30, orphans=15)


def measure(name: str, coverage: Coverage) -> Measurement | Undefined:
    return (find_metric(name) or METRICS[name]).compute(coverage)


@pytest.mark.parametrize(
    ("name", "value", "rows"),
    [
        ("ground_truth_coverage", 150 / 200, 200),
        ("orphan_ground_truth_rate", 15 / 150, 150),
        ("duplicate_ground_truth_rate", 30 / 180, 180),
    ],
)
def test_a_rate_is_a_share_of_what_it_is_about(name: str, value: float, rows: int) -> None:
    answer = measure(name, DAY)
    assert isinstance(answer, Measurement)
    assert (answer.value, answer.rows) == (value, rows)


def test_coverage_says_how_many_labels_came_too_late() -> None:
    answer = measure("ground_truth_coverage", DAY)
    assert isinstance(answer, Measurement)
    assert answer.details == {"labelled": 150, "unlabelled": 50, "late": 20}


def test_a_window_without_labels_is_covered_by_none() -> None:
    answer = measure("ground_truth_coverage", Coverage(rows=40))
    assert isinstance(answer, Measurement)
    assert answer.value == 0.0
    assert answer.interval is not None
    assert answer.interval[0] == 0.0 < answer.interval[1]


@pytest.mark.parametrize("name", ["orphan_ground_truth_rate", "duplicate_ground_truth_rate"])
def test_no_ground_truth_is_a_reason(name: str) -> None:
    assert measure(name, Coverage(rows=40)) == Undefined("there are no ground truth rows")


def test_no_production_rows_is_a_reason() -> None:
    assert measure("ground_truth_coverage", Coverage(truth_rows=3)) == Undefined("there are no production rows")


def test_coverage_adds() -> None:
    assert DAY + Coverage.empty() == DAY
    assert (DAY + DAY).unlabelled == 100
    assert (DAY + DAY).truth_ids == 300
