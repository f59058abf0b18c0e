"""Is the synthetic credit sample in data/credit what its README says it is?"""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from tests.data.credit_rows import CREDIT, collected, events, labels, reference

TARGET = "DEFAULT_NEXT_MONTH"
FEATURES = [
    "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6",
    *(f"BILL_AMT{month}" for month in range(1, 7)), *(f"PAY_AMT{month}" for month in range(1, 7)),
]  # fmt: skip
ODD_DAYS = ("10", "14", "23", "24")


@pytest.fixture(scope="module")
def inputs() -> pd.DataFrame:
    return collected("model_inputs")


@pytest.fixture(scope="module")
def outputs() -> pd.DataFrame:
    return collected("model_outputs")


@pytest.fixture(scope="module")
def labelled(outputs: pd.DataFrame) -> pd.DataFrame:
    return outputs.merge(labels(), on="correlationid", validate="1:1")


def of_day(rows: pd.DataFrame, *days: str) -> pd.DataFrame:
    return rows[rows["time"].dt.strftime("%d").isin(days)]


def usual(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows["time"].dt.strftime("%d").isin(ODD_DAYS)]


def test_making_it_again_gives_the_same_files(tmp_path: Path):
    subprocess.run([sys.executable, CREDIT / "generate.py", tmp_path], check=True, capture_output=True)
    made = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    texts = {path for path in made if path.suffix in {".jsonl", ".csv"}}
    assert len(texts) == 2 * 28 * 5 + 5
    for path in texts:
        assert made[path].read_bytes() == (CREDIT / path).read_bytes(), path
    assert set(made) - texts == {Path("reference/train.parquet")}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "reference" / "train.parquet"), reference())


def test_it_is_small_and_says_first_that_it_is_synthetic():
    assert sum(file.stat().st_size for file in CREDIT.rglob("*") if file.is_file()) < 4_500_000
    assert "Synthetic" in (CREDIT / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_the_columns_are_those_of_the_seed(inputs: pd.DataFrame, outputs: pd.DataFrame):
    assert list(reference().columns) == [*FEATURES, TARGET]
    assert list(inputs.columns) == [*FEATURES, "correlationid", "time"]
    assert list(outputs.columns) == [TARGET, "DEFAULT_PROBABILITY", "correlationid", "time"]
    assert list(labels().columns) == ["correlationid", "ground_truth", "known_at"]


def test_every_request_has_its_answer_and_every_label_its_prediction(inputs: pd.DataFrame, outputs: pd.DataFrame):
    assert list(inputs["correlationid"]) == list(outputs["correlationid"])
    assert inputs["correlationid"].is_unique
    assert len(inputs) == 4_480
    known = labels()["correlationid"]
    assert len(known) == 4_362
    assert known.is_unique
    assert set(known) <= set(inputs["correlationid"])


def test_an_event_lies_in_the_folder_of_its_hour():
    for collection in ("model_inputs", "model_outputs"):
        for file in (CREDIT / "collected" / collection).rglob("*.jsonl"):
            hour = "/".join(file.parts[-5:-1])
            times = pd.to_datetime(pd.read_json(file, lines=True)["time"])
            assert set(times.dt.strftime("%Y/%m/%d/%H")) == {hour}
    sizes = {len(event["data"]) for event in events("model_inputs")}
    assert sizes == set(range(1, 12))


def test_the_model_is_right_for_four_of_five_and_ranks_as_the_readme_says(labelled: pd.DataFrame):
    ordinary = usual(labelled)
    assert accuracy_score(ordinary["ground_truth"], ordinary[TARGET]) == pytest.approx(0.82, abs=0.01)
    assert roc_auc_score(ordinary["ground_truth"], ordinary["DEFAULT_PROBABILITY"]) == pytest.approx(0.81, abs=0.005)
    assert reference()[TARGET].mean() == pytest.approx(0.21, abs=0.005)


def test_pay_0_matters_most_and_sex_education_and_marriage_do_not():
    learned = reference()
    forest = RandomForestClassifier(100, max_depth=5, random_state=0).fit(learned[FEATURES], learned[TARGET])
    importance = dict(zip(FEATURES, forest.feature_importances_, strict=True))
    assert max(importance, key=importance.__getitem__) == "PAY_0"
    assert max(importance[name] for name in ("SEX", "EDUCATION", "MARRIAGE")) < 0.01


def test_on_the_10th_bills_are_in_cents_and_everybody_seems_to_default(inputs: pd.DataFrame, outputs: pd.DataFrame):
    bills = [name for name in FEATURES if name.startswith("BILL")]
    factor = of_day(inputs, "10")[bills].median() / usual(inputs)[bills].median()
    assert factor.between(70, 140).all()
    assert of_day(outputs, "10")[TARGET].mean() == pytest.approx(0.89, abs=0.005)


def test_on_the_14th_pay_0_is_missing_in_three_of_ten_rows(inputs: pd.DataFrame, labelled: pd.DataFrame):
    assert of_day(inputs, "14")["PAY_0"].isna().mean() == pytest.approx(0.3, abs=0.05)
    assert not inputs[inputs["time"].dt.day != 14]["PAY_0"].isna().any()
    day, ordinary = of_day(labelled, "14"), usual(labelled)
    assert recall_score(day["ground_truth"], day[TARGET]) < 0.46
    assert recall_score(ordinary["ground_truth"], ordinary[TARGET]) > 0.55


def test_on_the_15th_some_limits_are_text(inputs: pd.DataFrame):
    text = inputs["LIMIT_BAL"].map(type).eq(str)
    assert set(inputs.loc[text, "time"].dt.day) == {15}
    assert set(inputs.loc[text, "LIMIT_BAL"]) == {"n/a"}
    assert 0.02 < text[inputs["time"].dt.day == 15].mean() < 0.4


def test_from_the_17th_there_is_a_new_education(inputs: pd.DataFrame):
    new = inputs["EDUCATION"].eq(7)
    assert inputs.loc[new, "time"].dt.day.min() == 17
    assert new[inputs["time"].dt.day >= 17].mean() == pytest.approx(0.12, abs=0.02)


def test_labels_come_within_three_days_but_for_those_that_are_held_back(labelled: pd.DataFrame):
    held = of_day(labelled, "20", "21")
    assert set(held["known_at"]) == {pd.Timestamp("2024-05-26T08:00Z")}
    others = labelled.drop(held.index)
    assert (others["known_at"] - others["time"]).between(pd.Timedelta(hours=6), pd.Timedelta(hours=60)).all()


def test_on_the_23rd_and_24th_the_predictions_do_not_know_pay_0(inputs: pd.DataFrame, labelled: pd.DataFrame):
    both = of_day(labelled, "23", "24")
    assert recall_score(both["ground_truth"], both[TARGET]) == pytest.approx(0.15, abs=0.01)
    with_inputs = inputs.merge(both, on="correlationid")
    late = with_inputs["PAY_0"].gt(0)
    assert with_inputs.loc[late, TARGET].mean() < 0.2
    known = inputs.merge(usual(labelled), on="correlationid")
    assert known.loc[known["PAY_0"].gt(0), TARGET].mean() > 0.6
