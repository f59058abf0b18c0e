"""Bins and profiles come back as what they were, or not at all."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.errors import StoreError
from engine.store import Store, StoredProfile, baselines
from engine.windows import Window
from signals.bins import Bins, CategoricalBins, NumericBins, ValueType
from signals.distinct import Distinct
from signals.profile import CategoricalProfile, NumericProfile, Profile

NUMBERS = NumericBins(ValueType.DOUBLE, np.array([-1.5, 0.0, 2.25]), low=-3.0, high=9.0, center=0.5)
WORDS = CategoricalBins(ValueType.STRING, ("EWR", "JFK", "a,b", "ü"), complete=False)
NOTHING = NumericBins(ValueType.INTEGER, np.zeros(0), np.nan, np.nan)
NO_WORDS = CategoricalBins(ValueType.BOOLEAN, ())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("baselines") / "store")


def same(one: Any, other: Any) -> bool:
    """Equal in every field and type, where arrays and NaN are concerned too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    return bool(one == other or (one != one and other != other))


# ------------------------------------------------------------------------------------------------------- bins

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMERIC_BINS = st.builds(
    NumericBins,
    st.sampled_from(ValueType),
    st.lists(FINITE, unique=True).map(lambda edges: np.array(sorted(edges), np.float64)),
    low=FINITE | st.just(np.nan),
    high=FINITE | st.just(np.nan),
    center=FINITE,
)
CATEGORICAL_BINS = st.builds(
    CategoricalBins, st.sampled_from(ValueType), st.lists(TEXT, unique=True, max_size=8).map(tuple), st.booleans()
)


@given(st.dictionaries(TEXT, NUMERIC_BINS | CATEGORICAL_BINS, max_size=4), TEXT)
@settings(max_examples=40)
def test_bins_come_back_as_they_were(shared: Store, bins: dict[str, Bins], dataset: str) -> None:
    in_force = shared.save_bins(dataset, bins, replace=True)
    assert in_force.keys() == bins.keys()
    assert all(same(in_force[column], bins[column]) for column in bins)
    assert all(same(shared.load_bins(dataset)[column], bins[column]) for column in bins)


def test_numpy_numbers_make_the_same_bins(store: Store) -> None:
    bins = NumericBins(ValueType.DOUBLE, np.array([0.0]), np.float64(-3), np.float64(9), np.float64(0.5))
    assert store.save_bins("d", {"x": bins})["x"].id == bins.id


def test_bins_are_frozen_with_the_first_baseline(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS})
    in_force = store.save_bins("d", {"x": NOTHING, "carrier": WORDS})
    assert {column: bins.id for column, bins in in_force.items()} == {"x": NUMBERS.id, "carrier": WORDS.id}
    assert DeltaTable(f"{store.uri}/bins").version() == 2
    store.save_bins("d", {"x": NOTHING})
    assert DeltaTable(f"{store.uri}/bins").version() == 2, "nothing new is no commit"


def test_new_bins_are_made_on_purpose(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS, "carrier": WORDS})
    store.save_bins("d", {"x": NOTHING}, replace=True)
    assert {column: bins.id for column, bins in store.load_bins("d").items()} == {"x": NOTHING.id, "carrier": WORDS.id}


def test_bins_of_another_dataset_are_its_own(store: Store) -> None:
    store.save_bins("one", {"x": NUMBERS})
    store.save_bins("two", {"x": NOTHING})
    assert store.load_bins("one")["x"].id == NUMBERS.id
    assert store.load_bins("two")["x"].id == NOTHING.id


def test_a_store_without_baselines_has_none(store: Store) -> None:
    assert store.load_bins("d") == {}
    assert store.load_profiles("d", "f", {"x": NUMBERS}) == {}
    assert not Path(store.uri).exists(), "asking makes nothing"


# --------------------------------------------------------------------------------------------------- profiles

COUNT = st.integers(0, 2**62)
ANY = st.floats(allow_nan=False)  # a sum of huge numbers may be infinite
DISTINCT = (
    st.none()
    | st.builds(Distinct, st.frozensets(TEXT, max_size=8))
    | st.builds(Distinct, registers=arrays.arrays(np.uint8, 4096, fill=st.integers(0, 53)))
)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    bins = draw(st.sampled_from([NUMBERS, NOTHING, WORDS, NO_WORDS]))
    tally: dict[str, Any] = {name: draw(COUNT) for name in ("rows", "nulls", "nans", "unreadable")}
    tally |= {"counts": draw(arrays.arrays(np.int64, bins.cells, elements=COUNT)), "distinct": draw(DISTINCT)}
    if isinstance(bins, CategoricalBins):
        return CategoricalProfile(bins=bins, unseen=draw(st.dictionaries(TEXT, COUNT, max_size=8)), **tally)
    low, high = draw(st.tuples(FINITE, FINITE) | st.just((np.inf, -np.inf)))
    sums = draw(arrays.arrays(np.float64, bins.cells, elements=ANY))
    return NumericProfile(
        bins=bins, sums=sums, squares=draw(ANY), low=low, high=high, infinite=draw(COUNT), **tally
    )  # fmt: skip


BUCKET = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 2, tzinfo=UTC))


@given(profile=profiles(), dataset=TEXT, column=TEXT, segment=TEXT, bucket=st.sampled_from([None, BUCKET]))
@settings(max_examples=60)
def test_profiles_come_back_as_they_were(
    shared: Store, profile: Profile, dataset: str, column: str, segment: str, bucket: Window | None
) -> None:
    stored = StoredProfile(
        dataset=dataset, column=column, profile=profile, fingerprint="f", bucket=bucket, segment=segment
    )
    shared.save_profiles([stored])
    read = shared.load_profiles(dataset, "f", {column: profile.bins}, bucket=bucket, segment=segment)
    assert list(read) == [column]
    assert same(read[column], profile)


def of_rows(rows: int) -> NumericProfile:
    return replace(NumericProfile.empty(NUMBERS), rows=rows, nulls=rows)


def of_numbers(rows: int = 1, **fields: Any) -> StoredProfile:
    return replace(StoredProfile(dataset="d", column="x", profile=of_rows(rows), fingerprint="f"), **fields)


def test_the_profile_of_no_rows_is_the_profile_of_no_rows(store: Store) -> None:
    store.save_profiles([of_numbers(0)])
    read = store.load_profiles("d", "f", {"x": NUMBERS})["x"]
    assert isinstance(read, NumericProfile)
    assert same(of_rows(0) + read, of_rows(0))


def test_a_profile_of_another_state_of_the_source_is_not_there(store: Store) -> None:
    store.save_profiles([of_numbers()])
    assert store.load_profiles("d", "another", {"x": NUMBERS}) == {}


def test_a_profile_of_other_bins_is_not_there(store: Store) -> None:
    store.save_profiles([of_numbers()])
    assert store.load_profiles("d", "f", {"x": NOTHING}) == {}


def test_a_column_that_was_never_counted_is_not_there(store: Store) -> None:
    store.save_profiles([of_numbers()])
    assert list(store.load_profiles("d", "f", {"x": NUMBERS, "carrier": WORDS})) == ["x"]
    assert store.load_profiles("d", "f", {}) == {}


def test_a_newer_profile_takes_the_place_of_the_one_with_the_same_key(store: Store) -> None:
    store.save_profiles([of_numbers(1), of_numbers(2, column="y")])
    store.save_profiles([of_numbers(3, fingerprint="g")])
    assert store.load_profiles("d", "f", {"x": NUMBERS, "y": NUMBERS}).keys() == {"y"}
    assert store.load_profiles("d", "g", {"x": NUMBERS})["x"].rows == 3


def test_buckets_and_segments_are_kept_apart_and_written_at_once(store: Store) -> None:
    days = [Window(BUCKET.start + timedelta(days=n), BUCKET.end + timedelta(days=n)) for n in range(30)]
    segments = ["aggregate", "state = 'NY'"]
    store.save_profiles(
        of_numbers(100 * n + s, bucket=bucket, segment=segment)
        for n, bucket in enumerate(days)
        for s, segment in enumerate(segments)
    )
    assert DeltaTable(f"{store.uri}/profiles").version() == 1
    for n, bucket in enumerate(days):
        for s, segment in enumerate(segments):
            read = store.load_profiles("d", "f", {"x": NUMBERS}, bucket=bucket, segment=segment)
            assert read["x"].rows == 100 * n + s
    assert store.load_profiles("d", "f", {"x": NUMBERS}) == {}, "the whole dataset is another matter"


def test_no_profile_is_no_commit(store: Store) -> None:
    store.save_profiles([])
    assert not Path(store.uri).exists()


# ---------------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize("table", ["bins", "profiles"])
def test_what_a_newer_driftline_wrote_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setattr(baselines, "FORMAT_VERSION", 2)
    store.save_bins("d", {"x": NUMBERS})
    store.save_profiles([of_numbers()])
    monkeypatch.undo()
    with pytest.raises(
        StoreError, match=rf"{table} was written by a newer driftline \(format 2, .* reads 1\): upgrade"
    ):
        store.load_bins("d") if table == "bins" else store.load_profiles("d", "f", {"x": NUMBERS})


def test_what_an_older_driftline_wrote_is_counted_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "FORMAT_VERSION", 0)
    store.save_profiles([of_numbers()])
    monkeypatch.undo()
    assert store.load_profiles("d", "f", {"x": NUMBERS}) == {}


def test_bins_that_were_tampered_with_are_refused(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS})
    table = DeltaTable(f"{store.uri}/bins")
    table.update(updates={"high": "10.0"})
    with pytest.raises(StoreError, match="not what was written"):
        store.load_bins("d")


def test_a_profile_that_does_not_fit_its_bins_is_refused(store: Store) -> None:
    store.save_profiles([of_numbers()])
    path = f"{store.uri}/profiles"
    rows = DeltaTable(path).to_pyarrow_table()
    index = rows.schema.get_field_index("counts")
    write_deltalake(path, rows.set_column(index, rows.schema.field(index), [[[1, 2]]]), mode="overwrite")
    with pytest.raises(StoreError, match="as many cells as its bins"):
        store.load_profiles("d", "f", {"x": NUMBERS})
