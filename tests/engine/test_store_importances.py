"""Importances of baselines come back from the store as they were written, by question and window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.store import Store
from engine.store.importances import StoredImportances
from signals.importances import ATTRIBUTIONS, SURROGATE, Importances
from tests.engine.profile_samples import days

FOUND = Importances({"a": 0.75, "it's": 0.25, "c": 0.0}, 2000, SURROGATE, "late", 0.4)
MONDAY, TUESDAY = days(0, 1)
WHOLE = StoredImportances("d", "flights", "q", None, "aggregate", FOUND, "print")
WINDOWS = [None, MONDAY, TUESDAY]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def held(store: Store, question: str = "q") -> dict[Any, StoredImportances]:
    return store.load_importances("d", question, WINDOWS)


def test_nothing_is_kept_and_nothing_is_made_by_asking(store: Store) -> None:
    assert held(store) == {}
    assert not Path(store.uri).exists()


def test_what_is_written_comes_back(store: Store) -> None:
    of_day = replace(WHOLE, window=MONDAY, found=Importances({"a": 1.0}, 7, ATTRIBUTIONS))
    for each in (WHOLE, of_day, replace(WHOLE, question="other"), replace(WHOLE, dataset="other")):
        store.save_importances(each)
    assert held(store) == {None: WHOLE, MONDAY: of_day}
    assert store.load_importances("d", "q", [TUESDAY]) == {}
    assert store.load_importances("d", "q", []) == {}


def test_a_later_answer_takes_the_place_of_an_earlier_one_with_all_its_features(store: Store) -> None:
    store.save_importances(WHOLE)
    store.save_importances(replace(WHOLE, question="other"))
    later = replace(WHOLE, found=Importances({"b": 1.0}, 10, ATTRIBUTIONS), fingerprint="another")
    store.save_importances(later)
    assert held(store) == {None: later}
    assert held(store, "other")[None].found == FOUND


def test_old_windows_can_be_pruned_and_whole_baselines_stay(store: Store) -> None:
    assert store.prune_importances(TUESDAY.end) == 0, "there is nothing yet"
    for window in WINDOWS:
        store.save_importances(replace(WHOLE, window=window))
    assert store.prune_importances(MONDAY.end) == 3, "three features of one window"
    assert set(held(store)) == {None, TUESDAY}
