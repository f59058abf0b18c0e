"""A bucket's state is known at a cutoff exactly where its pieces say so, and is then that of its rows."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pieces import Counted, Performance, Piece, cutoffs_of, states_of, together
from engine.windows import Window
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.outcomes import Outcomes

START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of(rows: int, labelled: int = 0, digest: int = 0) -> Performance:
    return Performance(Outcomes.empty(), Errors.empty(), Coverage(rows=rows, labelled=labelled), digest)


def at(hour: int | None) -> datetime | None:
    return None if hour is None else START + hour * HOUR


def day(number: int, days: int = 1) -> Window:
    return Window(START + number * DAY, START + (number + days) * DAY)


def coverage(counted: Counted, cutoff: datetime | None) -> Coverage | None:
    states = counted.at(cutoff)
    return None if states is None else together(states).coverage


def test_a_label_that_came_later_counts_from_then_on() -> None:
    counted = Counted(3, (Piece(None, at(9), of(1)), Piece(at(9), None, of(1, 1)), Piece(at(2), None, of(2, 2))))
    assert coverage(counted, at(8)) == Coverage(rows=3, labelled=2)
    assert coverage(counted, at(9)) == coverage(counted, None) == Coverage(rows=3, labelled=3)


def test_before_the_labels_that_were_counted_nothing_is_known() -> None:
    counted = Counted(3, (Piece(None, at(9), of(1)), Piece(at(9), None, of(1, 1)), Piece(at(2), None, of(2, 2))))
    assert counted.at(at(1)) is None


def test_a_bucket_without_rows_is_known_at_every_cutoff() -> None:
    assert Counted(0, ()).at(START) == Counted(0, ()).at(None) == []
    orphan = Performance(Outcomes.empty(), Errors.empty(), Coverage(orphans=2, truth_rows=2))
    assert coverage(Counted(0, (Piece(None, None, orphan),)), at(5)) == Coverage(orphans=2, truth_rows=2)


@given(
    rows=st.lists(st.lists(st.integers(0, 20), max_size=3).map(sorted), min_size=1, max_size=8),
    asked=st.sets(st.integers(0, 20), min_size=1, max_size=4).map(sorted),
    wanted=st.integers(-1, 22),
)
def test_what_is_known_is_what_the_rows_say(rows: list[list[int]], asked: list[int], wanted: int) -> None:
    """Rows are lists of the hours at which their labels became known, and are counted at the asked hours only."""
    found: dict[tuple[int, int], list[tuple[list[int], int]]] = {}
    for labels in rows:
        changes = [n for n, (a, b) in enumerate(pairwise(asked), 1) if any(a < label <= b for label in labels)]
        for since, until in pairwise([0, *changes, len(asked)]):
            found.setdefault((since, until), []).append((labels, asked[since]))
    pieces = tuple(_piece(members) for members in found.values())
    truth = Coverage(rows=len(rows), labelled=sum(any(label <= wanted for label in labels) for labels in rows))
    known = coverage(Counted(len(rows), pieces), at(wanted))
    assert known == truth if wanted in asked else known in (None, truth)


def _piece(members: list[tuple[list[int], int]]) -> Piece:
    last = [max((label for label in labels if label <= hour), default=None) for labels, hour in members]
    following = [min((label for label in labels if label > hour), default=None) for labels, hour in members]
    labelled = sum(label is not None for label in last)
    known_from = max((label for label in last if label is not None), default=None)
    known_to = min((label for label in following if label is not None), default=None)
    return Piece(at(known_from), at(known_to), of(len(members), labelled))


def test_a_window_is_the_sum_of_its_buckets_at_its_own_cutoff() -> None:
    counted = {bucket: Counted(2, (Piece(None, bucket.end + DAY, of(2)), Piece(bucket.end + DAY, None, of(2, 1))))
               for bucket in (day(0), day(1))}  # fmt: skip
    states = states_of(day(0, 2), DAY, timedelta(0), counted)
    assert states is not None
    assert together(states).coverage == Coverage(rows=4, labelled=1)  # the second day is still without
    assert states_of(day(0, 3), DAY, timedelta(0), counted) is None


def test_digests_add_up_and_wrap_around() -> None:
    assert together([of(1, digest=2**64 - 1), of(1, digest=3)]).digest == 2


@pytest.mark.parametrize(("delay", "asked"), [(None, (None,)), (DAY, (day(1).end + DAY, day(2).end + DAY))])
def test_a_bucket_is_needed_at_the_cutoff_of_every_window_that_holds_it(
    delay: timedelta | None, asked: tuple[datetime | None, ...]
) -> None:
    found = cutoffs_of([day(1, 2), day(0, 2)], DAY, delay)
    assert list(found) == [day(0), day(1), day(2)]
    assert found[day(1)] == asked
