"""`driftline replay`, as people and machines read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import Result

from engine.judgements import Check
from engine.monitor import Monitor
from engine.results import Status
from engine.store import Store
from engine.thresholds_in_force import InForce
from jobs.threshold_words import threshold_words
from jobs.threshold_yaml import CheckThreshold, plain, threshold_document, yaml_lines
from signals.catalogue import Kind
from signals.thresholds import FixedThreshold, Operator, RangeThreshold
from tests.engine.replay_samples import judged, write_rows

Driftline = Callable[..., Result]

# By category a threshold of 0.1, by number one of 0.5; the recall of the model is to be high.
CATEGORIES, NUMBERS = (
    {"details": {"k": 3}},
    {"details": {"edges": [0.0]}, "metric_name": "normalized_wasserstein_distance"},
)
RECALL = {"signal": "performance", "signal_type": "model_performance", "metric_name": "recall"}
DEST, ORIGIN = [0.2, 0.05, 0.2, 0.2, 0.05, 0.12], [0.05, 0.05, 0.05, 0.05, 0.05, 0.05]
DISTANCE, LATE = [0.1, 0.2, 0.9, 0.1, 0.3, 0.8], [0.9, 0.2, 0.9, 0.9, 0.9, 0.2]


def recall(number: int, value: float) -> Any:
    breached = value < 0.5
    verdict = {"breached": breached, "status": Status.BREACHED if breached else Status.OK, "operator": "less_than"}
    return judged(number, "late", value, 0.5, **(RECALL | verdict))


@pytest.fixture(scope="session")
def replayable(tmp_path_factory: pytest.TempPathFactory) -> str:
    rows = [judged(n, "dest", value, 0.1, **CATEGORIES) for n, value in enumerate(DEST)]
    rows += [judged(n, "origin", value, 0.1, **CATEGORIES) for n, value in enumerate(ORIGIN)]
    rows += [judged(n, "weekday", 0.3, None, **CATEGORIES) for n in range(6)]
    rows += [judged(n, "distance", value, 0.5, **NUMBERS) for n, value in enumerate(DISTANCE)]
    rows += [recall(n, value) for n, value in enumerate(LATE)]
    store = Store(str(tmp_path_factory.mktemp("replay") / "store"))
    return write_rows(store, rows).uri


def document(driftline: Driftline, *words: str) -> dict[str, Any]:
    result = driftline("replay", "flights", *words, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def cells(text: str, first: str) -> list[str]:
    """The line that begins so, by its columns."""
    line = next(line for line in text.splitlines() if line.startswith(first))
    return [cell for cell in re.split(r"\s{2,}", line.strip()) if cell]


def test_what_there_was_stands_beside_what_there_would_have_been(driftline: Driftline, replayable: str) -> None:
    text = driftline("replay", "flights", "--set", "js=0.15", "--store", replayable).stdout
    assert text.splitlines()[0] == "flights · 2 Jul 2013 03:15 UTC to 7 Jul 2013 03:15 UTC · 6 runs"
    assert "jensen_shannon_distance > 0.15, in place of > 0.1: dest, origin" in text
    assert "jensen_shannon_distance > 0.15, not judged before: weekday" in text
    assert cells(text, "all") == ["all", "8 → 13", "7", "4"]
    assert cells(text, "drift jensen")[1:] == ["4 → 9", "3", "3 → 2"]
    assert cells(text, "performance recall")[1:] == ["2", "2", "2"]
    assert cells(text, "Jul 2013")[1] == "6"
    assert cells(text, "weekday drift")[1:] == ["– → > 0.15", "0 → 6", "0 → 1"]


def test_without_a_setting_it_is_what_there_was(driftline: Driftline, replayable: str) -> None:
    text = driftline("replay", "flights", "--store", replayable).stdout
    assert "→" not in text
    assert cells(text, "all") == ["all", "8", "7", "4"]


def test_a_range_of_time_narrows_it(driftline: Driftline, replayable: str) -> None:
    found = document(driftline, "--from", "2013-07-04", "--to", "2013-07-06", "--store", replayable)
    assert found["runs"] == {"count": 2, "first": "2013-07-04T03:15:00Z", "last": "2013-07-05T03:15:00Z"}
    assert found["then"] == found["now"] == {"breaches": 3, "alerts": 2, "messages": 1}


def test_a_feature_wins_over_its_signal_and_that_over_all(driftline: Driftline, replayable: str) -> None:
    words = ("--set", "dest/js=0.4", "--set", "drift.js=0.3", "--set", "js=0.01", "--store", replayable)
    checks = {check["group"]: check["now"] for check in document(driftline, *words)["checks"]}
    assert checks["dest"]["threshold"]["value"] == 0.4
    assert checks["origin"]["threshold"] == {"kind": "fixed", "operator": "greater_than", "value": 0.3}
    assert checks["distance"]["threshold"]["value"] == 0.5


def test_null_and_ranges_can_be_set(driftline: Driftline, replayable: str) -> None:
    words = ("--set", "js=null", "--set", "recall=0.1..0.95", "--store", replayable)
    found = document(driftline, *words)
    assert found["now"]["breaches"] == 2
    thresholds = {check["group"]: check["now"]["threshold"] for check in found["checks"]}
    assert (thresholds["dest"], thresholds["late"]) == (None, {"kind": "range", "low": 0.1, "high": 0.95})


def test_json_counts_add_up(driftline: Driftline, replayable: str) -> None:
    found = document(driftline, "--set", "js=0.15", "--store", replayable)
    assert found["monitor"] == "flights"
    for parts in (found["metrics"], found["months"], found["checks"]):
        assert sum(part["now"]["breaches"] for part in parts) == found["now"]["breaches"] == 13


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("jensen_shanon_distance=0.2", "did you mean jensen_shannon_distance?"),
        ("dst/js=0.2", "no feature 'dst', did you mean dest?"),
        ("drift.dest/js=0.2", "no feature 'drift.dest'"),
        ("drft.js=0.2", "no signal 'drft', did you mean drift?"),
        ("js", "has no value"),
        ("js=high", "'high' is not a number"),
        ("js=nan", "not a finite number"),
        ("js=0.9..0.1", "0.9 is above 0.1"),
        ("auc=0.5", "auc was not measured in that range"),
        ("mean=3", "write a range"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_with_what_it_may_have_been(
    driftline: Driftline, replayable: str, setting: str, said: str
) -> None:
    result = driftline("replay", "flights", "--set", setting, "--store", replayable)
    assert result.exit_code == 2
    assert said in re.sub(r"[│\s]+", " ", result.stderr)


def test_everything_that_is_wrong_is_said_at_once(driftline: Driftline, replayable: str) -> None:
    words = ("--set", "jss=1", "--set", "js=x", "--store", replayable)
    said = driftline("replay", "flights", *words).stderr
    assert "jss=1" in said
    assert "js=x" in said


def test_a_wrong_budget_is_exit_2(driftline: Driftline, replayable: str) -> None:
    result = driftline("replay", "flights", "--budget", "3/fortnight", "--store", replayable)
    assert result.exit_code == 2
    assert "3/month" in result.stderr


def test_what_was_never_measured_needs_profiles(driftline: Driftline, replayable: str) -> None:
    result = driftline("replay", "flights", "--set", "psi=0.2", "--store", replayable)
    assert result.exit_code == 4
    assert "driftline backfill" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [(["other"], "it holds flights"), (["flights", "--from", "2020-01-01"], "no run of flights in that range")],
)
def test_no_results_are_exit_4_and_say_what_there_is(
    driftline: Driftline, replayable: str, words: list[str], said: str
) -> None:
    result = driftline("replay", *words, "--store", replayable)
    assert result.exit_code == 4
    assert said in result.stderr


def test_a_monitor_may_be_its_file(driftline: Driftline, replayable: str, tiny: Path) -> None:
    result = driftline("replay", tiny, "--store", replayable)
    assert result.exit_code == 4
    assert "'tiny'" in result.stderr


# ------------------------------------------------------------------------------------------------------- budgets


def test_a_budget_comes_with_thresholds_to_paste_and_with_what_they_would_give(
    driftline: Driftline, replayable: str
) -> None:
    text = driftline("replay", "flights", "--budget", "2/week", "--store", replayable).stdout
    assert "2/week: 1 message in that time · 4 then, 1 with the thresholds below" in text
    pasted = yaml.safe_load(text[text.index("create_monitor:") :])
    thresholds = pasted["create_monitor"]["monitoring_signals"]
    assert thresholds["drift"]["metric_thresholds"]["features"] == {"weekday": {"jensen_shannon_distance": None}}
    assert "# today > 0.1; messages 3 → " in text


def test_proposed_thresholds_give_what_they_promise(driftline: Driftline, replayable: str) -> None:
    budget = document(driftline, "--budget", "1/day", "--store", replayable)
    words = [
        word
        for check in budget["checks"]
        if check["now"]["threshold"]
        for word in ("--set", f"{check['group']}/{check['metric_name']}={check['now']['threshold']['value']!r}")
    ]
    assert budget["budget"]["kept"]
    assert document(driftline, *words, "--store", replayable)["now"] == budget["now"]
    assert budget["now"]["messages"] <= budget["budget"]["allowed"] == 6


def test_what_is_set_is_not_proposed(driftline: Driftline, replayable: str) -> None:
    found = document(driftline, "--budget", "1/week", "--set", "js=0.6", "--store", replayable)
    thresholds = {check["group"]: check["now"]["threshold"]["value"] for check in found["checks"]}
    assert (thresholds["dest"], thresholds["weekday"]) == (0.6, 0.6)


def test_a_budget_that_cannot_be_kept_is_told(driftline: Driftline, tmp_path: Path) -> None:
    dynamic = [judged(n, "dest", value, 0.1, threshold_kind="dynamic") for n, value in enumerate([0.2, 0.05, 0.2])]
    store = write_rows(Store(tmp_path / "dynamic"), dynamic).uri
    text = driftline("replay", "flights", "--budget", "1/month", "--store", store).stdout
    assert "cannot be kept" in text
    assert "create_monitor" not in text
    assert document(driftline, "--budget", "1/month", "--store", store)["budget"]["kept"] is False


# ------------------------------------------------------------------------------------------------- as it is written

HIGHER, LOWER = Operator.GREATER_THAN, Operator.LESS_THAN


def fixed(value: float, operator: Operator = HIGHER, *, relative: bool = False) -> InForce:
    kind = "relative_to_baseline" if relative else "fixed"
    return InForce(kind, FixedThreshold(value, operator, relative_to_baseline=relative))


def threshold(
    metric: str, group: str, in_force: InForce, kind: Kind | None = None, signal: str = "drift"
) -> CheckThreshold:
    return CheckThreshold(Check(signal, group, None, metric), kind, in_force, "today")


def written(*thresholds: CheckThreshold) -> dict[str, Any]:
    """Through text, as it is pasted."""
    found = threshold_document(thresholds)
    loaded = yaml.safe_load("\n".join(yaml_lines(found)))
    assert loaded == plain(found)
    signals = loaded["create_monitor"]["monitoring_signals"]
    return {name: signal["metric_thresholds"] for name, signal in signals.items()}


def test_what_most_features_share_stands_under_their_kind() -> None:
    js, psi = "jensen_shannon_distance", "population_stability_index"
    found = written(
        *(threshold(js, name, fixed(0.1), Kind.CATEGORICAL) for name in ("a", "b")),
        threshold(js, "c", fixed(0.3), Kind.CATEGORICAL),
        threshold(js, "n", InForce(), Kind.NUMERICAL),
        threshold(psi, "unknown", fixed(0.2)),
    )
    assert found["drift"] == {
        "numerical": {js: None},
        "categorical": {js: 0.1},
        "features": {"c": {js: 0.3}, "unknown": {psi: 0.2}},
    }


def test_a_signal_that_has_no_sections_gets_none() -> None:
    ndcg = "normalized_discounted_cumulative_gain"
    assert written(threshold(ndcg, "dataset", fixed(0.85, LOWER))) == {"drift": {ndcg: 0.85}}


def test_every_form_of_threshold_is_written_as_a_definition_reads_it() -> None:
    one_class = [threshold("multi_class_recall", f"late={n}", fixed(n / 10, LOWER), signal="model") for n in (1, 2)]
    found = written(
        threshold("mean", "a", fixed(3), Kind.NUMERICAL, "quality"),
        threshold("p95", "a", InForce("range", RangeThreshold(-1, 2.5)), Kind.NUMERICAL, "quality"),
        threshold("null_value_rate", "a", fixed(1e-5, relative=True), Kind.NUMERICAL, "quality"),
        threshold("row_count", "dataset", fixed(500, LOWER), signal="quality"),
        threshold("recall", "late", fixed(0.25, LOWER), signal="model"),
        *one_class,
    )
    assert found["quality"] == {
        "numerical": {
            "mean": {"threshold": 3, "operator": "greater_than"},
            "p95": {"low": -1, "high": 2.5},
            "null_value_rate": {"threshold": 1e-5, "relative_to": "baseline"},
        },
        "dataset": {"row_count": 500},
    }
    classes = [{"label": "1", "threshold": 0.1}, {"label": "2", "threshold": 0.2}]
    assert found["model"] == {"classification": {"recall": 0.25, "multi_class_recall": classes}}


@pytest.mark.parametrize("name", ["a: b", "# no", "yes", "1.5", "ü", "a'b\"c", "- x", "{x}", "null"])
def test_names_are_written_so_that_they_are_read_as_they_are(name: str) -> None:
    psi = "population_stability_index"
    assert written(threshold(psi, name, fixed(0.2))) == {"drift": {"features": {name: {psi: 0.2}}}}


def test_a_monitor_reads_what_was_proposed(driftline: Driftline, replayable: str, tiny: Path) -> None:
    proposed = document(driftline, "--budget", "1/day", "--store", replayable)["budget"]["thresholds"]
    definition = yaml.safe_load(tiny.read_text())
    own = proposed["create_monitor"]["monitoring_signals"]["drift"]["metric_thresholds"]
    definition["create_monitor"]["monitoring_signals"]["drift"]["metric_thresholds"] = own
    (signal,) = Monitor.from_dict(definition, tiny.parent).signals
    by_feature = {request.feature: request.threshold for request in signal.metrics}
    assert by_feature["weekday"] is None
    assert {request.kind for request in signal.metrics} == {Kind.NUMERICAL, Kind.CATEGORICAL, None}


@pytest.mark.parametrize(
    ("in_force", "words"),
    [
        (fixed(0.15), "> 0.15"),
        (fixed(0.5, LOWER), "< 0.5"),
        (fixed(0.1, relative=True), "> 0.1 above the baseline’s"),
        (InForce("range", RangeThreshold(0.5, 2)), "not 0.5 to 2"),
        (InForce("dynamic"), "dynamic"),
        (InForce(), "–"),
    ],
)
def test_a_threshold_in_words(in_force: InForce, words: str) -> None:
    assert threshold_words(in_force) == words


def test_cut_offs_are_written_one_by_one_and_segments_share_what_most_of_them_have() -> None:
    apart, alike = InForce("range", RangeThreshold(0.5, 2)), InForce("range", RangeThreshold(0.8, 1.25))
    parities = {"other": apart, "female": alike, "unknown": alike}
    found = written(
        threshold("ndcg", "score@5", fixed(0.5, LOWER), signal="model"),
        threshold("ndcg", "score", InForce(), signal="model"),
        threshold("group_auc", "score", fixed(0.6, LOWER), signal="model"),
        *(threshold("recall_parity", f"said of sex = {sex}", each, signal="model") for sex, each in parities.items()),
    )
    assert found["model"] == {
        "ranking": {"group_auc": 0.6, "ndcg": [{"at": 5, "threshold": 0.5}, {"at": "all", "threshold": None}]},
        "fairness": {"recall_parity": {"low": 0.8, "high": 1.25}},
    }
