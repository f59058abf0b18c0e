"""What is counted can be listed, and what is not needed any more can be removed; never what is in use."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.results import AGGREGATE
from engine.store import Store, StoredProfile, formats
from engine.windows import Window
from signals.bins import NumericBins
from signals.profile import CategoricalProfile, NumericProfile
from tests.engine.profile_samples import BUCKET, NOTHING, NUMBERS, WORDS, days, of_numbers


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def of_words(**fields: Any) -> StoredProfile:
    return of_numbers(column="carrier", profile=CategoricalProfile.empty(WORDS), **fields)


def whole(bins: NumericBins) -> StoredProfile:
    return of_numbers(profile=NumericProfile.empty(bins))


def held(store: Store, *buckets: Window, dataset: str = "d") -> list[Window | None]:
    found = store.load_profiles(dataset, [("x", NUMBERS), ("x", NOTHING)], [*buckets, None], [AGGREGATE])
    return sorted((key.bucket for key in found), key=str)


# ----------------------------------------------------------------------------------------------------- listing


def test_an_empty_store_has_no_profiles(store: Store) -> None:
    assert store.list_profiles().num_rows == 0
    assert "source" in store.list_profiles().schema.names
    assert not Path(store.uri).exists(), "asking makes nothing"


def test_the_list_says_what_is_counted_of_each_dataset(store: Store) -> None:
    segments = [AGGREGATE, 'state = "NY"']
    store.save_profiles(
        of_numbers(1000 * (name == AGGREGATE) + n, bucket=bucket, segment=name)
        for n, bucket in enumerate(days(*range(10)))
        for name in segments
    )
    store.save_profiles(of_words(bucket=bucket) for bucket in days(0, 1))
    store.save_profiles([of_numbers(column="", bucket=BUCKET), of_numbers(5000, dataset="b", source="a baseline")])
    baseline, production = store.list_profiles().to_pylist()
    assert production.pop("bytes") > baseline.pop("bytes") > 0
    assert production == {
        "dataset": "d",
        "source": "flights",
        "profiles": 23,
        "columns": 2,
        "bins": 2,
        "segments": 2,
        "buckets": 10,
        "first": BUCKET.start,
        "last": BUCKET.end + timedelta(days=9),
        "rows": 10_045,
    }
    assert (baseline["source"], baseline["rows"], baseline["buckets"]) == ("a baseline", 5000, 0)
    assert baseline["first"] is baseline["last"] is None


def test_rows_that_are_counted_in_two_bins_are_counted_once(store: Store) -> None:
    store.save_profiles([of_numbers(70, bucket=BUCKET), of_numbers(70)])
    store.save_profiles([of_numbers(profile=NumericProfile.empty(NOTHING), bucket=BUCKET)])
    assert store.list_profiles()["rows"].to_pylist() == [70]


# ----------------------------------------------------------------------------------------------------- pruning


def end_of(number: int) -> datetime:
    return days(number)[0].end


def test_pruning_an_empty_store_makes_nothing(store: Store) -> None:
    assert store.prune_profiles(BUCKET.end) == 0
    assert not Path(store.uri).exists()


def test_buckets_that_ended_before_go_and_the_others_stay(store: Store) -> None:
    month = days(*range(30))
    store.save_profiles(of_numbers(bucket=bucket) for bucket in month)
    assert store.prune_profiles(end_of(9) + timedelta(hours=1)) == 10
    assert held(store, *month) == month[10:]
    assert store.prune_profiles(end_of(10)) == 1, "a bucket ends before the time that it does not hold"
    assert store.prune_profiles(end_of(10)) == 0


def test_one_dataset_can_be_pruned_alone(store: Store) -> None:
    for dataset in "de":
        store.save_profiles(of_numbers(bucket=bucket, dataset=dataset) for bucket in days(0, 1))
    assert store.prune_profiles(end_of(5), "e") == 2
    assert held(store, *days(0, 1)) == days(0, 1)
    assert held(store, *days(0, 1), dataset="e") == []


def test_a_dataset_that_is_counted_whole_stays(store: Store) -> None:
    """It has no time; and the count of its rows is in bins that nobody froze."""
    store.save_bins("d", {"x": NUMBERS})
    store.save_profiles([whole(NUMBERS), of_numbers(bucket=BUCKET), of_words(), of_numbers(column="")])
    assert store.prune_profiles(end_of(5000)) == 1
    assert store.list_profiles()["profiles"].to_pylist() == [3]


def test_what_is_counted_whole_in_superseded_bins_goes_with_the_last_bucket_in_them(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS, "carrier": WORDS})
    store.save_profiles([whole(NUMBERS), of_numbers(bucket=days(0)[0]), of_numbers(bucket=days(9)[0])])
    store.save_bins("d", {"x": NOTHING}, replace=True)
    store.save_profiles([whole(NOTHING)])
    assert store.prune_profiles(end_of(5)) == 1
    assert store.find_bins([NUMBERS.id]).keys() == {NUMBERS.id}
    assert store.prune_profiles(end_of(9)) == 2
    assert store.find_bins([NUMBERS.id, NOTHING.id, WORDS.id]).keys() == {NOTHING.id, WORDS.id}
    assert held(store) == [None]


def test_bins_that_another_dataset_uses_are_not_superseded(store: Store) -> None:
    store.save_bins("d", {"x": NUMBERS})
    store.save_bins("e", {"x": NUMBERS})
    store.save_bins("d", {"x": NOTHING}, replace=True)
    store.save_profiles([whole(NUMBERS)])
    assert store.prune_profiles(end_of(5)) == 0
    assert held(store) == [None]
    assert store.load_bins("e")["x"].id == NUMBERS.id


def test_what_an_older_version_counted_is_not_listed_and_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FORMAT_VERSION", 1)
    store.save_profiles([of_numbers(9, column="y"), of_numbers(9, dataset="e")])
    monkeypatch.undo()
    store.save_profiles([of_numbers(1)])
    (listed,) = store.list_profiles().to_pylist()
    assert (listed["dataset"], listed["profiles"], listed["rows"]) == ("d", 1, 1)
    assert store.prune_profiles(BUCKET.end) == 2
    assert held(store) == [None]


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    store.save_profiles([of_numbers(bucket=BUCKET)])
    with pytest.raises(ValueError, match="no time zone"):
        store.prune_profiles(BUCKET.end.replace(tzinfo=None))


def test_pruning_frees_what_was_pruned_a_week_ago(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save_profiles(of_numbers(bucket=bucket) for bucket in days(0, 1))
    store.prune_profiles(end_of(0))
    assert len(list(Path(store.uri, "profiles").rglob("part-*.parquet"))) == 2, "somebody may be reading"
    swept: list[str] = []
    monkeypatch.setattr("engine.store.table.sweep", lambda table: swept.append(table.table_uri))
    store.prune_profiles(end_of(0))
    assert [uri.rstrip("/").endswith("/profiles") for uri in swept] == [True]
