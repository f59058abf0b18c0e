"""Metrics that nobody asked for, told from the profiles that are kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.judgements import Check, Judgements, read_judgements
from engine.remeasuring import Remeasured, remeasure, unmeasured
from engine.replays import Setting, replay
from engine.results import MetricRow, Status
from engine.store import Store, StoredProfile
from engine.windows import Window
from signals.binning import Binning
from signals.bins import Bins
from signals.catalogue import Kind
from signals.change import Change
from signals.metrics import METRICS
from signals.profile import Profile, sum_profiles
from signals.quality import Column
from tests.engine.replay_samples import judged, write_rows
from tests.engine.store_samples import day
from tests.signals.conftest import Profiles

SAMPLES = Profiles()
DAYS, ROWS = 6, 400
PSI = "population_stability_index"


def values(number: int) -> np.ndarray:
    """A day's values, which move away from the baseline's."""
    return np.random.default_rng(number).normal(number / 3, 1, ROWS)


BINS = SAMPLES.bins(np.random.default_rng(99).normal(0, 1, 5000))
BASELINE = SAMPLES.numbers(np.random.default_rng(99).normal(0, 1, 5000), BINS)


def bucket(number: int) -> Window:
    """The day before the run of that number."""
    return Window(day(number) - timedelta(days=1), day(number))


def profile(number: int) -> Profile:
    return SAMPLES.numbers(values(number), BINS)


def kept(store: Store, *, numbers: range = range(DAYS), bins: Bins = BINS, segment: str = "aggregate") -> Store:
    """The bins, the baseline and the days' profiles."""
    store.save_bins("b", {"amount": bins})
    same = {"source": "", "column": "amount", "fingerprint": "", "segment": segment}
    stored = [StoredProfile(dataset="p", profile=profile(n), bucket=bucket(n), **same) for n in numbers]
    baseline = StoredProfile(dataset="b", profile=BASELINE, **same)
    store.save_profiles([*stored, baseline])
    return store


def row(number: int, **fields: Any) -> MetricRow:
    """What a run wrote: another metric of the feature, and what it stands on."""
    standing = {"bins_id": BINS.id, "dataset": "p", "baseline_dataset": "b"}
    window = {"window_start": bucket(number).start, "window_end": bucket(number).end}
    details = standing | fields.pop("details", {})
    return judged(number, "amount", 0.05, metric_name="hellinger_distance", details=details, **(window | fields))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def told(store: Store, *settings: Setting) -> tuple[Judgements, Remeasured]:
    judgements = read_judgements(store, "flights", None, None)
    return judgements, remeasure(store, "flights", judgements, settings)


def test_values_are_what_the_metric_says_of_the_kept_profiles(store: Store) -> None:
    write_rows(kept(store), [row(number) for number in range(DAYS)])
    _, found = told(store, Setting(PSI, 0.2))
    expected = [METRICS[PSI].compute(Change(profile(number), BASELINE)).value for number in range(DAYS)]
    assert [value.value for value in found.values] == expected
    assert {value.check for value in found.values} == {Check("drift", "amount", "aggregate", PSI)}
    assert found.missing == {}


def test_they_are_judged_by_what_is_set_beside_what_was_judged_then(store: Store) -> None:
    write_rows(kept(store), [row(number) for number in range(DAYS)])
    judgements, found = told(store, Setting(PSI, 0.2))
    judgements = judgements.with_values(found.values)
    beside = replay(judgements, [Setting(PSI, 0.2).assigned(judgements)]).beside()
    expected = sum(value.value > 0.2 for value in found.values)
    assert 0 < expected < DAYS
    assert (beside.then.breaches, beside.now.breaches) == (0, expected)
    assert beside.now.alerts == 1


def test_a_long_window_is_the_sum_of_its_days(store: Store) -> None:
    write_rows(kept(store), [row(3, window_start=bucket(1).start, window_end=bucket(3).end)])
    _, found = told(store, Setting(PSI, 0.2))
    whole = sum_profiles([profile(number) for number in (1, 2, 3)])
    assert found.values[0].value == METRICS[PSI].compute(Change(whole, BASELINE)).value


def test_a_moving_baseline_is_the_sum_of_its_days(store: Store) -> None:
    kept(store)
    moving = {"baseline_start": bucket(0).start, "baseline_end": bucket(1).end, "details": {"baseline_dataset": "p"}}
    write_rows(store, [row(4, **moving)])
    _, found = told(store, Setting(PSI, 0.2))
    before = sum_profiles([profile(0), profile(1)])
    assert found.values[0].value == METRICS[PSI].compute(Change(profile(4), before)).value


def test_numbers_are_compared_in_the_bins_of_the_feature_s_other_rows(store: Store) -> None:
    twenty = Change(profile(2), BASELINE, Binning(bins=20), "drop")
    write_rows(kept(store), [row(2, details={"edges": twenty.details["edges"], "nulls": "drop"})])
    _, found = told(store, Setting(PSI, 0.2))
    assert found.values[0].value == METRICS[PSI].compute(twenty).value
    assert found.values[0].value != METRICS[PSI].compute(Change(profile(2), BASELINE)).value


def test_quality_is_told_from_the_profiles_of_quality(store: Store) -> None:
    quality = {"signal": "quality", "signal_type": "data_quality", "metric_name": "null_value_rate"}
    write_rows(kept(store), [row(2), judged(2, "dataset", 9, **quality | {"metric_name": "row_count"})])
    assert told(store, Setting("p95", 1.0))[1] == Remeasured()  # of drift's rows nothing is asked
    rows = [row(2), row(2, details={"nulls": 3})]
    write_rows(store, [rows[0], judged_quality(rows[1], quality)])
    _, found = told(store, Setting("p95", 1.0))
    assert [value.value for value in found.values] == [METRICS["p95"].compute(Column(profile(2), BASELINE)).value]


def judged_quality(one: MetricRow, fields: dict[str, str]) -> MetricRow:
    own = {name: getattr(one, name) for name in ("window_start", "window_end", "details")}
    return judged(2, "amount", 0.01, **own, **fields)


@pytest.mark.parametrize(
    "wrong",
    [
        {"details": {"bins_id": "other"}},
        {"details": {"dataset": "other"}},
        {"details": {"baseline_dataset": "other"}},
        {"details": {"baseline_column": "other"}},
        {"details": {"segment": 'state = "CA"', "baseline_segment": 'state = "CA"'}},
        {"window_start": bucket(2).start - timedelta(hours=1)},
        {"baseline_start": bucket(0).start, "baseline_end": bucket(1).end},
    ],
)
def test_what_is_not_kept_is_counted_and_not_guessed(store: Store, wrong: dict[str, Any]) -> None:
    write_rows(kept(store), [row(1), row(2, **wrong)])
    _, found = told(store, Setting(PSI, 0.2))
    assert (len(found.values), found.missing) == (1, {PSI: 1})


def test_rows_of_an_older_store_do_not_say_what_they_stand_on(store: Store) -> None:
    write_rows(kept(store), [judged(1, "amount", 0.05)])
    assert told(store, Setting(PSI, 0.2))[1] == Remeasured(missing={PSI: 1})


def test_a_segment_is_told_from_its_own_profiles(store: Store) -> None:
    name = 'state = "CA"'
    details = {"segment": name, "baseline_segment": name}
    write_rows(kept(store, segment=name), [row(2, details=details)])
    assert len(told(store, Setting(PSI, 0.2))[1].values) == 1


def test_too_few_rows_are_measured_and_not_judged(store: Store) -> None:
    few = {"breached": None, "status": Status.INSUFFICIENT_DATA, "reason": "too few rows"}
    write_rows(kept(store), [row(2, **few)])
    assert [value.judgeable for value in told(store, Setting(PSI, 0.2))[1].values] == [False]


def test_a_metric_of_the_other_kind_is_not_asked_for(store: Store) -> None:
    assert Kind.NUMERICAL not in METRICS["new_values"].kinds
    quality = {"signal": "quality", "signal_type": "data_quality", "metric_name": "null_value_rate"}
    write_rows(kept(store), [judged_quality(row(2), quality)])
    assert told(store, Setting("new_values", 1.0))[1] == Remeasured()


def test_settings_of_another_signal_or_feature_are_not_told(store: Store) -> None:
    write_rows(kept(store), [row(2)])
    assert told(store, Setting(PSI, 0.2, signal="other"))[1] == Remeasured()
    assert told(store, Setting(PSI, 0.2, feature="other"))[1] == Remeasured()


def test_only_what_no_row_has_is_told_from_profiles(store: Store) -> None:
    write_rows(store, [row(1)])
    judgements = read_judgements(store, "flights", None, None)
    settings = [Setting("hellinger_distance", 0.1), Setting(PSI, 0.2), Setting("accuracy", 0.5)]
    assert unmeasured(judgements, settings) == [Setting(PSI, 0.2)]
