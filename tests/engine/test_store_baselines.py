"""Bins and profiles come back as what they were, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.errors import StoreError
from engine.results import AGGREGATE
from engine.store import ProfileKey, Store, StoredProfile, formats
from engine.store.table import Change, Snapshot, StoredTable
from engine.tables import BINS, PROFILES
from engine.windows import Window
from signals.bins import Bins, CategoricalBins, NumericBins, ValueType, VectorBins
from signals.distinct import Distinct
from signals.profile import CategoricalProfile, NumericProfile, Profile, VectorProfile
from tests.engine.profile_samples import (
    BUCKET,
    NO_VECTORS,
    NO_WORDS,
    NOTHING,
    NUMBERS,
    VECTORS,
    WORDS,
    days,
    of_numbers,
    of_rows,
)


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
VECTOR_BINS = st.builds(VectorBins, st.integers(0, 2**31))


@given(st.dictionaries(TEXT, NUMERIC_BINS | CATEGORICAL_BINS | VECTOR_BINS, max_size=4), TEXT)
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


def test_new_bins_are_made_on_purpose_and_the_old_ones_can_be_found(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS, "carrier": WORDS})
    in_force = store.save_bins("d", {"x": NOTHING}, replace=True)
    assert in_force["x"].id == NOTHING.id
    assert {column: bins.id for column, bins in store.load_bins("d").items()} == {"x": NOTHING.id, "carrier": WORDS.id}
    found = store.find_bins([NUMBERS.id, NOTHING.id, WORDS.id, "unknown"])
    assert found.keys() == {NUMBERS.id, NOTHING.id, WORDS.id}
    assert same(found[NUMBERS.id], NUMBERS)
    assert store.find_bins([]) == {}


def test_bins_of_an_old_generation_can_be_in_force_again(store: Store) -> None:
    for bins in (NUMBERS, NOTHING, NUMBERS):
        store.save_bins("d", {"x": bins}, replace=True)
    assert store.load_bins("d")["x"].id == NUMBERS.id
    assert sorted(DeltaTable(f"{store.uri}/bins").to_pyarrow_table()["generation"].to_pylist()) == [1, 2, 3]


def test_new_bins_that_are_the_old_ones_are_no_generation(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS, "carrier": WORDS})
    store.save_bins("d", {"x": NOTHING}, replace=True)
    store.save_bins("d", {"x": NUMBERS, "carrier": WORDS}, replace=True)
    generations = DeltaTable(f"{store.uri}/bins").to_pyarrow_table().select(["column", "generation"]).to_pylist()
    held = sorted((row["column"], row["generation"]) for row in generations)
    assert held == [("carrier", 1), ("x", 1), ("x", 2), ("x", 3)]


@pytest.mark.parametrize("again", [False, True])
def test_two_runs_that_fit_bins_at_once_go_on_with_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """The other one's commit falls between this one's look at the table and its commit."""
    store.save_bins("d", {"other": WORDS})
    committed = StoredTable._committed  # pyright: ignore[reportPrivateUsage]
    others: list[Bins] = []

    def late(self: StoredTable, snapshot: Snapshot, change: Change) -> bool:
        monkeypatch.setattr(StoredTable, "_committed", committed)
        others.append(Store(store.uri).save_bins("d", {"x": NOTHING}, replace=again)["x"])
        return committed(self, snapshot, change)

    monkeypatch.setattr(StoredTable, "_committed", late)
    own = store.save_bins("d", {"x": NUMBERS}, replace=again)["x"]
    assert own.id == store.load_bins("d")["x"].id == (NUMBERS.id if again else NOTHING.id)
    assert DeltaTable(f"{store.uri}/bins").to_pyarrow_table().num_rows == (3 if again else 2)
    assert same(store.find_bins([NOTHING.id])[NOTHING.id], others[0])


def test_bins_of_another_dataset_are_its_own(store: Store) -> None:
    store.save_bins("one", {"x": NUMBERS})
    store.save_bins("two", {"x": NOTHING})
    assert store.load_bins("one")["x"].id == NUMBERS.id
    assert store.load_bins("two")["x"].id == NOTHING.id


def test_a_store_without_baselines_has_none(store: Store) -> None:
    assert store.load_bins("d") == {}
    assert store.find_bins([NUMBERS.id]) == {}
    assert loaded(store) == {}
    assert not Path(store.uri).exists(), "asking makes nothing"


# --------------------------------------------------------------------------------------------------- profiles

COUNT = st.integers(0, 2**62)
ANY = st.floats(allow_nan=False)  # a sum of huge numbers may be infinite
KEY = st.text("0123456789abcdef", min_size=1, max_size=32)


def distincts(numbers: bool) -> st.SearchStrategy[Distinct | None]:
    values = st.builds(Distinct, st.frozensets(TEXT, max_size=8), numbers=st.just(numbers))
    registers = arrays.arrays(np.uint8, 4096, fill=st.integers(0, 53))
    return st.none() | values | st.builds(Distinct, registers=registers, numbers=st.just(numbers))


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    bins = draw(st.sampled_from([NUMBERS, NOTHING, WORDS, NO_WORDS, VECTORS, NO_VECTORS]))
    tally: dict[str, Any] = {name: draw(COUNT) for name in ("rows", "nulls", "nans", "unreadable")}
    tally |= {"counts": draw(arrays.arrays(np.int64, bins.cells, elements=COUNT))}
    tally |= {"distinct": draw(distincts(isinstance(bins, NumericBins)))}
    if isinstance(bins, CategoricalBins):
        return CategoricalProfile(bins=bins, unseen=draw(st.dictionaries(TEXT, COUNT, max_size=8)), **tally)
    sums = draw(arrays.arrays(np.float64, bins.sums, elements=ANY))
    if isinstance(bins, VectorBins):
        return VectorProfile(bins=bins, sums=sums, squares=draw(ANY), **tally)
    low, high = draw(st.tuples(FINITE, FINITE) | st.just((np.inf, -np.inf)))
    return NumericProfile(
        bins=bins, sums=sums, squares=draw(ANY), low=low, high=high, infinite=draw(COUNT), **tally
    )  # fmt: skip


KEPT = st.builds(
    StoredProfile,
    dataset=KEY,
    source=TEXT,
    column=TEXT,
    profile=profiles(),
    fingerprint=TEXT,
    bucket=st.sampled_from([None, *days(0, 1, 2, 40, 4000)]),
    segment=TEXT,
)


@given(st.lists(KEPT, min_size=1, max_size=6, unique_by=lambda each: (each.dataset, each.key)))
@settings(max_examples=60)
def test_profiles_come_back_as_they_were(shared: Store, stored: list[StoredProfile]) -> None:
    shared.save_profiles(stored)
    for dataset in {each.dataset for each in stored}:
        own = {each.key: each for each in stored if each.dataset == dataset}
        bins = [(each.column, each.profile.bins) for each in own.values()]
        found = shared.load_profiles(dataset, bins, {key.bucket for key in own}, {key.segment for key in own})
        assert own.keys() <= found.keys()
        assert all(same(found[key], each) for key, each in own.items())


def loaded(
    store: Store,
    *columns: str,
    bins: Bins = NUMBERS,
    buckets: Collection[Window | None] = (None,),
    segments: Collection[str] = (AGGREGATE,),
) -> dict[ProfileKey, StoredProfile]:
    return store.load_profiles("d", [(column, bins) for column in columns or ("x",)], buckets, segments)


def only(found: dict[ProfileKey, StoredProfile]) -> StoredProfile:
    (stored,) = found.values()
    return stored


def test_the_profile_of_no_rows_is_the_profile_of_no_rows(store: Store) -> None:
    store.save_profiles([of_numbers(0)])
    read = only(loaded(store)).profile
    assert isinstance(read, NumericProfile)
    assert same(of_rows(0) + read, of_rows(0))


def test_a_profile_comes_with_the_state_of_the_source_that_was_read(store: Store) -> None:
    store.save_profiles([of_numbers()])
    assert only(loaded(store)).fingerprint == "f"
    assert only(loaded(store)).source == "flights"


def test_a_profile_of_other_bins_is_not_there(store: Store) -> None:
    store.save_profiles([of_numbers()])
    assert loaded(store, bins=NOTHING) == {}


def test_a_column_may_be_asked_for_in_several_bins(store: Store) -> None:
    old, new = of_numbers(1), of_numbers(2, profile=NumericProfile.empty(NOTHING))
    store.save_profiles([old])
    store.save_profiles([new])
    found = store.load_profiles("d", [("x", NUMBERS), ("x", NOTHING)], [None], [AGGREGATE])
    assert found.keys() == {old.key, new.key}


def test_a_column_without_a_name_is_a_column(store: Store) -> None:
    store.save_profiles([of_numbers(column=""), of_numbers()])
    assert [key.column for key in loaded(store, "")] == [""]


def test_a_column_that_was_never_counted_is_not_there(store: Store) -> None:
    store.save_profiles([of_numbers()])
    found = store.load_profiles("d", [("x", NUMBERS), ("carrier", WORDS)], [None], [AGGREGATE])
    assert [key.column for key in found] == ["x"]


def test_asking_for_nothing_finds_nothing(store: Store) -> None:
    store.save_profiles([of_numbers()])
    assert store.load_profiles("d", [], [None], [AGGREGATE]) == {}
    assert loaded(store, buckets=[]) == loaded(store, segments=[]) == {}


def test_a_newer_profile_takes_the_place_of_the_one_with_the_same_key(store: Store) -> None:
    store.save_profiles([of_numbers(1), of_numbers(2, column="y")])
    store.save_profiles([of_numbers(3, fingerprint="g")])
    found = {key.column: (each.profile.rows, each.fingerprint) for key, each in loaded(store, "x", "y").items()}
    assert found == {"x": (3, "g"), "y": (2, "f")}


def test_profiles_of_other_buckets_stay(store: Store) -> None:
    month = days(*range(30))
    store.save_profiles(of_numbers(1, bucket=bucket) for bucket in month)
    store.save_profiles([of_numbers(2, bucket=month[3]), of_numbers(2, bucket=month[20]), of_numbers(9)])
    found = loaded(store, buckets=[*month, None])
    expected = dict.fromkeys(month, 1) | {month[3]: 2, month[20]: 2, None: 9}
    assert {key.bucket: each.profile.rows for key, each in found.items()} == expected


def test_buckets_and_segments_are_kept_apart_and_written_at_once(store: Store) -> None:
    month, segments = days(*range(30)), ["aggregate", "state = 'NY'"]
    store.save_profiles(
        of_numbers(100 * n + s, bucket=bucket, segment=segment)
        for n, bucket in enumerate(month)
        for s, segment in enumerate(segments)
    )
    assert DeltaTable(f"{store.uri}/profiles").version() == 1
    found = loaded(store, buckets=month, segments=segments)
    for n, bucket in enumerate(month):
        for s, segment in enumerate(segments):
            assert found[ProfileKey("x", NUMBERS.id, bucket, segment)].profile.rows == 100 * n + s
    assert loaded(store) == {}, "the whole dataset is another matter"


def test_a_new_column_of_old_buckets_takes_nothing_along_when_it_comes_with_a_new_bucket(store: Store) -> None:
    month, segments = days(*range(30)), ["aggregate", "a"]
    store.save_profiles(of_numbers(bucket=each, segment=name) for each in month for name in segments)
    late = [of_numbers(bucket=each, segment=name, column="y") for each in month for name in segments]
    today = [of_numbers(bucket=days(30)[0], segment=name, column=column) for name in segments for column in "xy"]
    segment = [of_numbers(bucket=each, segment="b") for each in month[:3]]
    store.save_profiles(late + today)
    store.save_profiles(segment)
    found = loaded(store, "x", "y", buckets=days(*range(31)), segments=[*segments, "b"])
    assert len(found) == 2 * 2 * 31 + 3


def test_a_bucket_that_only_starts_with_another_is_not_that_one(store: Store) -> None:
    hour = Window(BUCKET.start, BUCKET.start + timedelta(hours=1))
    store.save_profiles([of_numbers(24, bucket=BUCKET)])
    store.save_profiles([of_numbers(1, bucket=hour)])
    assert only(loaded(store, buckets=[hour])).profile.rows == 1
    assert only(loaded(store, buckets=[BUCKET])).profile.rows == 24


@given(st.sets(st.integers(0, 60), max_size=40))
def test_scattered_buckets_are_found_wherever_they_are(every_other_day: Store, wanted: set[int]) -> None:
    found = loaded(every_other_day, buckets=days(*wanted))
    assert {key.bucket for key in found} == set(days(*(n for n in wanted if n % 2 == 0)))


@pytest.fixture(scope="module")
def every_other_day(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("scattered") / "store")
    store.save_profiles(of_numbers(bucket=bucket) for bucket in days(*range(0, 61, 2)))
    return store


def test_two_profiles_with_one_key_are_a_bug(store: Store) -> None:
    with pytest.raises(ValueError, match="written once at a time"):
        store.save_profiles([of_numbers(1), of_numbers(2)])


@pytest.mark.parametrize("dataset", ["", "d" * 300])
def test_a_dataset_s_key_that_no_folder_can_have_is_refused(store: Store, dataset: str) -> None:
    with pytest.raises(StoreError, match="cannot name a folder"):
        store.save_profiles([of_numbers(dataset=dataset)])


def test_a_new_bucket_is_written_beside_the_old_ones(store: Store) -> None:
    """Also when the old ones are in one file with it in its range: nothing of it is replaced."""
    store.save_profiles(of_numbers(bucket=bucket) for bucket in days(0, 1, 3, 4))
    before = files_of(store)
    store.save_profiles([of_numbers(bucket=days(2)[0]), of_numbers(bucket=days(5)[0])])
    store.save_profiles([of_numbers()])
    store.save_profiles([of_numbers(bucket=days(1)[0], column="y"), of_numbers(bucket=days(6)[0])])
    assert before < files_of(store)
    assert len(files_of(store)) == 4


def files_of(store: Store) -> set[str]:
    return set(DeltaTable(f"{store.uri}/profiles").file_uris())


def test_no_profile_is_no_commit(store: Store) -> None:
    store.save_profiles([])
    assert not Path(store.uri).exists()


# ---------------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize("table", ["bins", "profiles"])
def test_what_a_newer_driftline_wrote_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setattr(formats, "FORMAT_VERSION", 3)
    store.save_bins("d", {"x": NUMBERS})
    store.save_profiles([of_numbers()])
    monkeypatch.undo()
    with pytest.raises(
        StoreError, match=rf"{table} was written by a newer driftline \(format 3, .* reads 2\): upgrade"
    ):
        store.load_bins("d") if table == "bins" else loaded(store)


def test_what_an_older_driftline_wrote_is_counted_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FORMAT_VERSION", 1)
    store.save_bins("d", {"x": NUMBERS})
    store.save_profiles([of_numbers()])
    monkeypatch.undo()
    assert store.load_bins("d") == loaded(store) == {}
    assert store.save_bins("d", {"x": NOTHING})["x"].id == NOTHING.id


def test_tables_of_version_1_get_the_columns_that_they_lack(store: Store) -> None:
    """As driftline 0.2 wrote them: no generation, no source, no folders."""
    for table, added in ((BINS, "generation"), (PROFILES, "source")):
        schema = pa.schema([field for field in table.schema if field.name != added])
        DeltaTable.create(f"{store.uri}/{table.name}", schema)
    assert store.load_bins("d") == loaded(store) == {}
    store.save_bins("d", {"x": NUMBERS})
    store.save_profiles([of_numbers()])
    assert store.load_bins("d")["x"].id == NUMBERS.id
    assert same(only(loaded(store)), of_numbers())


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
    with pytest.raises(StoreError, match="the profile of 'x' in 'd' has not as many cells as its bins"):
        loaded(store)
