from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from engine.bars import bars_of
from engine.results import Status
from engine.store import Store
from tests.jobs.conftest import a_row, a_run

Driftline = Callable[..., Result]


def test_explain_shows_both_distributions_and_what_each_bin_carried(driftline: Driftline, filled_store: str) -> None:
    words = ("--at", "2013-07-02T03:15Z", "--feature", "distance", "--store", filled_store)
    result = driftline("explain", "flights", *words)
    lines = result.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(">= 20"))
    assert result.exit_code == 0
    assert "60.0 %" in lines[at]  # now
    assert "75.0 %" in lines[at]  # carried: 0.3 of 0.4
    assert "20.0 %" in lines[at + 1]  # baseline
    assert lines[at].count("█") == 3 * lines[at + 1].count("█") + 2  # 32 characters, and 10⅔


def test_attributions_are_explained_by_the_features_that_moved(driftline: Driftline, tmp_path: Path) -> None:
    run = a_run()
    moved = {"feature": "PAY_0", "importance": 0.02, "baseline_importance": 0.5, "rank": 3, "baseline_rank": 1}
    signal = {"signal": "attribution", "signal_type": "feature_attribution_drift"}
    metric = {"metric_name": "normalized_discounted_cumulative_gain", "operator": "less_than", "breached": True}
    row = a_row(run, "dataset", 0.6, 0.9, status=Status.BREACHED, details={"features": [moved]}, **signal, **metric)
    Store(tmp_path / "store").write([run], [row])
    text = driftline("explain", "flights", "--store", tmp_path / "store").stdout
    assert "importances that moved most: PAY_0 50.0 % → 2.0 % (place 1 → 3)" in text


def test_intervals_stand_from_low_to_high(driftline: Driftline, filled_store: str) -> None:
    text = driftline("explain", "flights", "--feature", "distance", "--store", filled_store).stdout
    assert text.index("< 10") < text.index("[10, 20)") < text.index(">= 20")


def test_explain_says_value_threshold_chance_and_nulls(driftline: Driftline, filled_store: str) -> None:
    text = driftline("explain", "flights", "--feature", "distance", "--store", filled_store).stdout
    assert "population_stability_index = 0.4  breached: a breach is > 0.1 (4 times it)" in text
    assert "below 0.02 in 95 of 100 windows" in text
    assert "1,234 rows of 1 Jul 2013 03:15 to 2 Jul 2013 03:15 UTC against 5,000 in the baseline" in text
    assert "617 of 1,234 rows are null (50.0 %), 17 of them NaN; of the baseline 12.5 %" in text


def test_without_a_feature_everything_that_breached_is_explained(driftline: Driftline, filled_store: str) -> None:
    text = driftline("explain", "flights", "--store", filled_store).stdout
    assert "null_value_rate = 0.5" in text
    assert "population_stability_index = 0.4" in text
    assert "carrier" not in text


def test_a_metric_narrows_what_is_explained(driftline: Driftline, filled_store: str) -> None:
    words = ("--feature", "distance", "--metric", "NullValueRate", "--store", filled_store)
    assert "population_stability_index" not in driftline("explain", "flights", *words).stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["trains"], "it holds flights"),
        (["flights", "--at", "2013-07-09T03:15Z"], "near it: 30 Jun 2013 03:15 UTC"),
        (["flights", "--feature", "distanse"], "it has carrier, dest, distance"),
        (["flights", "--feature", "carrier", "--metric", "auc"], "it has population_stability_index"),
    ],
)
def test_what_is_not_there_is_exit_4_and_says_what_is(
    driftline: Driftline, filled_store: str, words: list[str], hint: str
) -> None:
    result = driftline("explain", *words, "--store", filled_store)
    assert result.exit_code == 4
    assert hint in result.stderr


def drift_row(terms: list[float], more: int = 0, **fields: Any) -> dict[str, Any]:
    contributions = [[f"c{number}", 0.1, 0.1, term] for number, term in enumerate(terms)]
    details = {"contributions": contributions, "more_contributions": more}
    return {"metric_name": "jensen_shannon_distance", "metric_value": 0.2, "details": details, **fields}


def test_shares_are_of_the_whole_also_where_not_every_term_is_stored() -> None:
    # 0.2 squared is 0.04, of which 0.03 is listed.
    assert [bar.carried for bar in bars_of(drift_row([0.02, 0.01], more=7))] == pytest.approx([0.5, 0.25])


def test_terms_that_may_be_negative_count_by_their_size() -> None:
    bars = bars_of(drift_row([0.3, -0.1], metric_name="kl_divergence"))
    assert [bar.carried for bar in bars] == pytest.approx([0.75, 0.25])


def test_a_distance_of_zero_is_carried_by_nobody() -> None:
    assert [bar.carried for bar in bars_of(drift_row([0.0, 0.0]))] == [0, 0]


def test_a_chart_has_a_bounded_height() -> None:
    bars = bars_of(drift_row([1 / (number + 1) for number in range(60)]))
    assert len(bars) == 24
    assert bars[0].name == "c0"


EMBEDDING = {
    "dimensions": 768,
    "effective_dimensions": 41.5,
    "norm": 2.5,
    "baseline_norm": 2.0,
    "moved": [[17, 0.5, 0.25, 0.75], [4, -0.5, -0.25, 0.125]],
    "p_value_method": "closed form",
}


def embedding_store(folder: Path, **fields: Any) -> str:
    run = a_run()
    given = {"metric_name": "cosine_similarity", "operator": "less_than", "breached": True, "status": Status.BREACHED}
    Store(folder).write([run], [a_row(run, "title", 0.75, 0.9, **{"details": EMBEDDING, **given, **fields})])
    return str(folder)


def test_an_embedding_is_explained_by_the_dimensions_that_moved(driftline: Driftline, tmp_path: Path) -> None:
    store = embedding_store(tmp_path / "store", expected_p95=0.99, p_value=0.001)
    text = driftline("explain", "flights", "--store", store).stdout
    assert "cosine_similarity = 0.75  breached: a breach is < 0.9" in text
    assert "it would stay above 0.99 in 95 of 100 windows" in text
    assert "17 from 0.25 to 0.5 (75.0 % of it), 4 from -0.25 to -0.5 (12.5 % of it)" in text
    assert "effective dimensions: 41.5" in text
    assert "title" in driftline("results", "--store", store).stdout


def test_an_embedding_without_a_p_value_says_why(driftline: Driftline, tmp_path: Path) -> None:
    why = {"p_value_method": "none: the vectors do not vary"}
    store = embedding_store(tmp_path / "store", details={**EMBEDDING, **why}, operator=None, expected_p95=0.5)
    text = driftline("explain", "flights", "--feature", "title", "--store", store).stdout
    assert "no p-value: the vectors do not vary" in text
    assert "it would stay above 0.5" in text
