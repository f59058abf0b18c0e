"""What is told of the values that carried a shift."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import Result

from engine.errors import DataError
from engine.monitor import Monitor
from engine.run import evaluate_all
from engine.splits import Part, Split, splits_of
from engine.store import Store
from jobs.asked_rows import Question
from jobs.carriers import print_splits
from jobs.explain_by import explain_by, names_in
from jobs.times import parse_time
from tests.jobs.conftest import a_row, a_run

Driftline = Callable[..., Result]
CARRIED = {
    "carried_by": [
        ["origin", "JFK", 0.9, 0.2, 0.7, 300, 500],
        ["origin", "EWR", 0.2, 0.0, 0.2, 700, 400],
        ["origin", "LGA", -0.1, -0.1, 0.0, 0, 100],
    ],
    "carried_by_rest": {"origin": [4, 0.0, 0.0, 0.0, 100, 200]},
    "not_carried_by": {"gate": "as a whole, nothing has shifted"},
}


def printed(*splits: Split) -> str:
    console = Console(width=140, markup=False, highlight=False)
    with console.capture() as capture:
        print_splits(console, splits)
    return capture.get()


def line_of(text: str, value: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(value))


@pytest.fixture
def explained_store(tmp_path: Path) -> str:
    run = a_run()
    row = a_row(run, "distance", 0.4, details=CARRIED, baseline_row_count=5000)
    Store(tmp_path / "store").write([run], [row, a_row(run, "dest", 0.3)])
    return str(tmp_path / "store")


def test_every_value_has_its_share_its_rows_and_a_bar():
    text = printed(*splits_of(CARRIED).values())
    jfk = line_of(text, "JFK")
    assert all(each in jfk for each in ("90.0 %", "20.0 %", "70.0 %", "300", "27.3 %", "500", "41.7 %"))
    assert jfk.count("█") == 20
    assert "−10.0 %" in line_of(text, "LGA")
    assert "100" in line_of(text, "all others")


def test_what_cannot_be_split_says_why_in_one_line():
    text = printed(Split("a", reason="it is so"), Split("b", reason="it is so"))
    assert text == "by a, b: not split: it is so\n"


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([("x", 0.8, 0.0, 0.8, 30, 30), ("y", 0.2, 0.0, 0.2, 70, 70)], "x carried 80.0 % with 30.0 % of the rows"),
        (
            [("x", 0.9, 0.8, 0.1, 30, 10), ("y", 0.1, 0.1, 0.0, 70, 90)],
            "x carried 90.0 %: it has 30.0 % of the rows, and had 10.0 %",
        ),
        ([("x", 0.9, 0.9, 0.0, 30, 0), ("y", 0.1, 0.1, 0.0, 70, 90)], "x carried 90.0 % and is new, with 30.0 %"),
        ([("x", 0.9, 0.9, 0.0, 0, 25), ("y", 0.1, 0.1, 0.0, 70, 75)], "it is gone, and had 25.0 % of the rows"),
        ([("x", 1.3, 0.0, 1.3, 50, 50), ("y", -0.3, 0.0, -0.3, 50, 50)], "; y worked against it"),
        ([("x", 0.6, 0.0, 0.6, 50, 50), ("y", 0.4, 0.0, 0.4, 50, 50)], "no value stands out"),
    ],
)
def test_a_sentence_says_who_stands_out(parts: list[tuple[Any, ...]], sentence: str):
    assert sentence in printed(Split("d", [Part(*part) for part in parts])).splitlines()[1]


def test_values_that_carried_nothing_are_counted_together():
    quiet = [Part(name, 0.0, 0.0, 0.0, 10, 20) for name in "xyz"]
    text = printed(Split("d", [Part("loud", 1.0, 0.0, 1.0, 70, 40), *quiet]))
    assert "30" in line_of(text, "all others")
    assert not [line for line in text.splitlines() if line.startswith("x")]


def test_a_values_own_metric_is_told_where_it_is_known():
    parts = [Part("x", 0.7, 0.0, 0.7, 5, 5), Part("y", 0.3, 0.0, 0.3, 5, 5)]
    text = printed(Split("d", parts, own={"x": 0.25}))
    assert line_of(text, "x").rstrip().endswith("0.25")
    assert line_of(text, "y").rstrip().endswith("–")


def test_a_name_from_the_data_does_not_break_lines():
    assert "a\\nb" in printed(Split("d", [Part("a\nb", 1.0, 0.0, 1.0, 5, 5)]))


def test_columns_are_named_with_commas_or_one_by_one():
    assert names_in(["a, b", "c", "a,"]) == ["a", "b", "c"]


# ------------------------------------------------------------------------------------------------- the command line


def test_a_stored_split_is_shown_without_spark(driftline: Driftline, explained_store: str):
    words = ("--feature", "distance", "--by", "origin,gate", "--store", explained_store)
    result = driftline("explain", "flights", *words)
    assert result.exit_code == 0
    assert "by origin: JFK carried 90.0 % with 27.3 % of the rows; LGA worked against it" in result.stdout
    assert "by gate: not split: as a whole, nothing has shifted" in result.stdout
    assert "starting Spark" not in result.stderr


def test_explain_shows_a_stored_split_unasked(driftline: Driftline, explained_store: str):
    result = driftline("explain", "flights", "--feature", "distance", "--store", explained_store)
    assert "by origin: JFK carried 90.0 %" in result.stdout


def test_a_name_is_not_enough_to_count(driftline: Driftline, explained_store: str):
    words = ("--feature", "distance", "--by", "weekday", "--store", explained_store)
    result = driftline("explain", "flights", *words)
    assert result.exit_code == 2
    assert "driftline explain conf/monitors/flights.yaml --feature distance --by weekday" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "origin"], "--by needs a --feature"),
        (["--feature", "distance", "--by", "distance"], "is not explained by itself"),
        (["--feature", "distance", "--by", ","], "--by names no column"),
    ],
)
def test_what_is_asked_makes_sense(driftline: Driftline, explained_store: str, words: list[str], message: str):
    result = driftline("explain", "flights", *words, "--store", explained_store)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_split_that_is_not_stored_is_counted(spark, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    at, store = parse_time("2024-03-02T03:15Z"), str(tmp_path / "store")
    evaluate_all(spark, Monitor.from_yaml(tiny), [at], store=Store(store))
    question = Question(store, str(tiny), at, "amount")
    explain_by(question, ["colour"], lambda: spark)
    text = capsys.readouterr().out
    assert "by colour: no value stands out" in text
    assert 0.5 < float(line_of(text, "red").split()[-1]) < 2  # its own PSI
    with pytest.raises(DataError, match="no column 'color' to explain by; did you mean 'colour'"):
        explain_by(question, ["color"], lambda: spark)
