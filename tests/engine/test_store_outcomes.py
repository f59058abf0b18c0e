"""How predictions came out is kept by bucket, and comes back as what it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from engine.errors import StoreError
from engine.pieces import Counted, Performance, Piece
from engine.store import Store, outcomes
from engine.store.formats import FORMAT_VERSION
from engine.store.outcomes import OutcomeKey, StoredOutcome
from engine.windows import Window
from signals.classification import accuracy
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.measurement import Measurement
from signals.outcomes import Outcomes
from signals.ranking import Ranked, group_auc, ndcg
from signals.rankings import Rankings
from signals.regression import mean_absolute_error
from signals.scorecard import Scorecard
from signals.scores import auc

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = OutcomeKey("d", "t", '["said", null, "true"]', "outcomes, errors", "aggregate")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def day(number: int) -> Window:
    return Window(START + number * DAY, START + (number + 1) * DAY)


def of_rows(labelled: int = 3, digest: int = 2**64 - 1) -> Performance:
    label, said = pa.array([1, 0, 1, None]), pa.array([1.0, 0.0, 0.0, 1.0])
    score = pa.array([0.9, 0.2, 0.4, 0.5])
    rankings = Rankings.of(pa.array(["a", "a", "b", None]), score, label, (1, None))
    coverage = Coverage(rows=4, labelled=labelled, late=1, truth_rows=5, duplicate_truth_rows=2, orphans=7)
    outcomes = Outcomes.of(label, said, score, of_all=True)
    return Performance(outcomes, Errors.of(label, said), coverage, digest, rankings)


def stored(number: int = 0, key: OutcomeKey = KEY, **fields: object) -> StoredOutcome:
    pieces = (Piece(None, START + DAY, of_rows(0, 5)), Piece(START + DAY, None, of_rows()))
    return replace(StoredOutcome(key, day(number), Counted(4, pieces), "p", "t"), **fields)


def pieces(counted: Counted) -> list[tuple]:
    """What tells pieces apart, in order; their states are compared by metrics."""
    found = [(str(each.known_from), str(each.known_to), each.performance) for each in counted.pieces]
    return [
        (known_from, known_to, state.coverage, state.digest, state.outcomes.pairs)
        for known_from, known_to, state in sorted(found, key=lambda each: each[:2])
    ]


def test_outcomes_come_back_as_they_were(store: Store) -> None:
    store.save_outcomes([stored()])
    found = store.load_outcomes([KEY], [day(0)])[KEY, day(0)]
    assert (found.key, found.bucket, found.production, found.truth) == (KEY, day(0), "p", "t")
    assert found.counted.rows == 4
    assert pieces(found.counted) == pieces(stored().counted)
    read, written = (each.counted.at(START + DAY) for each in (found, stored()))
    assert read is not None
    assert written is not None
    assert accuracy(Scorecard(read[0].outcomes)) == accuracy(Scorecard(written[0].outcomes))
    assert auc(Scorecard(read[0].outcomes)) == auc(Scorecard(written[0].outcomes))
    assert mean_absolute_error(read[0].errors) == mean_absolute_error(written[0].errors)
    assert read[0].outcomes.predictions == written[0].outcomes.predictions == {"0": 2, "1": 2}
    ranked = [Ranked(each[0].rankings, 1) for each in (read, written)]
    assert ndcg(ranked[0]) == ndcg(ranked[1])
    assert isinstance(ndcg(ranked[0]), Measurement)
    assert group_auc(ranked[0]) == group_auc(ranked[1])


def test_what_was_kept_before_there_were_rankings_is_still_read(store: Store) -> None:
    store.save_outcomes([stored()])
    uri = f"{store.uri}/outcomes"
    written = pa.table(DeltaTable(uri).to_pyarrow_table())
    write_deltalake(uri, written.drop_columns(["rankings"]), mode="overwrite", schema_mode="overwrite")
    found = store.load_outcomes([KEY], [day(0)])[KEY, day(0)]
    assert pieces(found.counted) == pieces(stored().counted)
    assert {each.performance.rankings.groups for each in found.counted.pieces} == {0}
    store.save_outcomes([stored(1)])
    both = store.load_outcomes([KEY], [day(0), day(1)])
    assert [{each.performance.rankings.groups for each in both[KEY, day(n)].counted.pieces} for n in (0, 1)] == [
        {0}, {2},
    ]  # fmt: skip


def test_only_what_is_asked_for_comes_back(store: Store) -> None:
    texas = KEY._replace(segment='state = "TX"')
    store.save_outcomes([stored(number, key) for number in range(3) for key in (KEY, texas)])
    assert set(store.load_outcomes([texas], [day(0), day(2), day(9)])) == {(texas, day(0)), (texas, day(2))}
    assert store.load_outcomes([KEY._replace(truth="other")], [day(0)]) == {}


def test_a_bucket_is_replaced_with_all_its_pieces_and_others_stay(store: Store) -> None:
    texas = KEY._replace(segment='state = "TX"')
    store.save_outcomes([stored(0), stored(1), stored(0, texas)])
    one = Counted(4, (Piece(None, None, of_rows()),))
    store.save_outcomes([stored(0, counted=one, truth="t2")])
    found = store.load_outcomes([KEY, texas], [day(0), day(1)])
    assert {place: each.truth for place, each in found.items()} == {
        (KEY, day(0)): "t2", (KEY, day(1)): "t", (texas, day(0)): "t",
    }  # fmt: skip
    assert len(found[KEY, day(0)].counted.pieces) == 1


def test_a_bucket_without_rows_is_remembered_as_read(store: Store) -> None:
    store.save_outcomes([stored(counted=Counted(0, ()), production=None)])
    found = store.load_outcomes([KEY], [day(0)])[KEY, day(0)]
    assert (found.counted.rows, found.production) == (0, None)
    states = found.counted.at(None)
    assert states is not None
    assert sum(each.coverage.rows for each in states) == 0


def test_a_store_without_outcomes_has_none(store: Store) -> None:
    assert store.load_outcomes([KEY], [day(0)]) == {}
    store.save_outcomes([])
    assert not Path(store.uri).exists(), "nothing is made of nothing"


def test_outcomes_of_a_newer_version_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(outcomes, "FORMAT_VERSION", FORMAT_VERSION + 1)
        store.save_outcomes([stored()])
    with pytest.raises(StoreError, match="written by a newer driftline"):
        store.load_outcomes([KEY], [day(0)])


def test_outcomes_of_old_buckets_can_be_deleted(store: Store) -> None:
    assert store.prune_outcomes(START) == 0, "there is nothing yet"
    store.save_outcomes([stored(0), stored(1), stored(2)])
    assert store.prune_outcomes(day(1).end) == 4, "two pieces of two buckets"
    assert set(store.load_outcomes([KEY], [day(0), day(1), day(2)])) == {(KEY, day(2))}
