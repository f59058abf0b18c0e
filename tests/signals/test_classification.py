"""Metrics of labels against scikit-learn on raw rows, and what they say when they have no value."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as sklearn

from signals.catalogue import find_metric
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.outcomes import Outcomes
from signals.scorecard import Scorecard

EXACT = 1e-12


def measure(name: str, card: Scorecard) -> Measurement | Undefined:
    return (find_metric(name) or METRICS[name]).compute(card)


def value(name: str, card: Scorecard) -> float:
    answer = measure(name, card)
    assert isinstance(answer, Measurement), answer
    return answer.value


def card_of(truth: Any, prediction: Any, **options: Any) -> Scorecard:
    return Scorecard(Outcomes.of(pa.array(truth), pa.array(prediction)), **options)


@pytest.fixture(scope="module")
def binary() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    truth = rng.random(5_000) < 0.2
    return truth.astype(int), (truth ^ (rng.random(5_000) < 0.15)).astype(int)


@pytest.fixture(scope="module")
def many() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    truth = rng.choice(["cat", "dog", "eel, smoked", "fox"], 5_000, p=[0.6, 0.25, 0.1, 0.05])
    return truth, np.where(rng.random(5_000) < 0.7, truth, rng.choice(["cat", "dog", "eel, smoked"], 5_000))


def test_binary_metrics_are_those_of_scikit_learn(binary: tuple[np.ndarray, np.ndarray]) -> None:
    card = card_of(*binary)
    tn, fp, fn, tp = sklearn.confusion_matrix(*binary).ravel().tolist()
    expected = {
        "accuracy": sklearn.accuracy_score(*binary),
        "precision": sklearn.precision_score(*binary),
        "recall": sklearn.recall_score(*binary),
        "sensitivity": sklearn.recall_score(*binary),
        "f_1": sklearn.f1_score(*binary),
        "specificity": sklearn.recall_score(*binary, pos_label=0),
        "false_positive_rate": fp / (fp + tn),
        "false_negative_rate": fn / (fn + tp),
        "false_negative_density": fn / len(binary[0]),
    }
    assert {name: value(name, card) for name in expected} == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_averages_are_those_of_scikit_learn(name: str, average: str, many: tuple[np.ndarray, np.ndarray]) -> None:
    oracle = getattr(sklearn, f"{name}_score")
    expected = oracle(*many, average=average, zero_division=np.nan)
    assert value(f"{average}_averaged_{name}", card_of(*many)) == pytest.approx(expected, abs=EXACT)


def test_one_class_of_many_is_that_of_scikit_learn(many: tuple[np.ndarray, np.ndarray]) -> None:
    for name in ("precision", "recall"):
        expected = getattr(sklearn, f"{name}_score")(*many, labels=["dog"], average="macro")
        assert value(f"multi_class_{name}", card_of(*many, label="dog")) == pytest.approx(expected, abs=EXACT)
        assert value(name, card_of(*many, positive_class="dog")) == pytest.approx(expected, abs=EXACT)


def test_without_a_positive_class_many_classes_are_averaged_and_it_says_so(many: tuple[np.ndarray, np.ndarray]) -> None:
    for name in ("precision", "recall", "f1"):
        answer = measure(name, card_of(*many))
        assert answer == measure(f"macro_averaged_{name}", card_of(*many))
        assert isinstance(answer, Measurement)
        assert answer.details["average"] == "macro"


def test_a_class_that_is_never_predicted_is_left_out_of_macro_precision_by_name(
    many: tuple[np.ndarray, np.ndarray],
) -> None:
    truth, prediction = many
    answer = measure("macro_averaged_precision", card_of(truth, np.where(prediction == "fox", "cat", prediction)))
    assert isinstance(answer, Measurement)
    assert answer.details["classes_left_out"] == ["fox"]


@pytest.mark.parametrize(
    "name", ["specificity", "false_positive_rate", "false_negative_rate", "false_negative_density"]
)
def test_a_binary_metric_asks_for_the_positive_class(name: str, many: tuple[np.ndarray, np.ndarray]) -> None:
    answer = measure(name, card_of(*many))
    assert isinstance(answer, Undefined)
    assert "positive_class" in answer.reason
    assert "'eel, smoked'" in answer.reason


@pytest.mark.parametrize(
    ("name", "truth", "prediction", "reason"),
    [
        ("precision", [1, 0], [0, 0], "no row is predicted as '1'; the classes are '0', '1'"),
        ("recall", [0, 0], [0, 1], "no row is labelled '1'; the classes are '0', '1'"),
        ("f1", [0, 0], [0, 0], "no row is labelled or predicted as '1'; the classes are '0'"),
        ("specificity", [1, 1], [0, 1], "every row is labelled '1'; the classes are '0', '1'"),
        ("false_positive_rate", [1, 1], [0, 1], "every row is labelled '1'; the classes are '0', '1'"),
        ("false_negative_rate", [0, 0], [0, 1], "no row is labelled '1'; the classes are '0', '1'"),
    ],
)
def test_a_division_by_zero_is_a_reason_and_not_a_number(
    name: str, truth: list[int], prediction: list[int], reason: str
) -> None:
    assert measure(name, card_of(truth, prediction)) == Undefined(reason)


def test_a_misspelt_positive_class_is_seen_in_the_reason() -> None:
    answer = measure("recall", card_of(["late", "on time"], ["late", "late"], positive_class="Late!"))
    assert answer == Undefined("no row is labelled 'Late!'; the classes are 'late', 'on time'")


def test_the_tally_stands_in_the_details() -> None:
    answer = measure("precision", card_of([True, True, False, False, False], [True, False, True, True, False]))
    assert isinstance(answer, Measurement)
    assert answer.value == pytest.approx(1 / 3)
    assert answer.rows == 5
    assert answer.details == {
        "positive_class": "true", "true_positives": 1, "false_positives": 2, "false_negatives": 1, "true_negatives": 1,
    }  # fmt: skip


def test_rows_without_a_label_or_a_prediction_are_counted_apart() -> None:
    card = card_of([1, 1, 0, None, 1], [1, None, 0, 1, None])
    answer = measure("accuracy", card)
    assert isinstance(answer, Measurement)
    assert (answer.value, answer.rows) == (1.0, 2)
    assert answer.details["rows_without_prediction"] == 2
    assert (card.outcomes.unlabelled, card.outcomes.unpredicted) == (1, 2)


def test_a_model_that_predicts_nothing_is_told_so() -> None:
    answer = measure("accuracy", Scorecard(Outcomes.of(pa.array([1, 0, 1]))))
    assert answer == Undefined("none of the 3 labelled rows has a prediction")


def test_too_many_classes_are_a_reason_and_no_memory() -> None:
    numbers = pa.array(np.random.default_rng(0).normal(size=100_000))
    outcomes = Outcomes.of(numbers, numbers, numbers)
    assert outcomes.pairs == {}
    assert measure("accuracy", Scorecard(outcomes)) == Undefined(
        "more than 1,000 distinct labels: is this a regression?"
    )


def test_too_many_classes_are_found_when_states_are_added() -> None:
    parts = [
        Outcomes.of(pa.array(range(start, start + 600)), pa.array(range(start, start + 600))) for start in (0, 600)
    ]
    assert not parts[0].too_many_classes
    assert (parts[0] + parts[1]).too_many_classes
    assert (Outcomes.empty() + parts[0] + parts[1] + parts[0]).pairs == {}


def test_a_thousand_classes_are_a_classification() -> None:
    rows = pa.array(list(range(1000)) * 2)
    card = Scorecard(Outcomes.of(rows, rows, pa.array(np.linspace(0, 1, 2000))))
    assert value("macro_averaged_f1", card) == 1.0
    assert value("accuracy", card) == 1.0
