"""When rows are, as one look at their timestamps tells: every row, and no hour without one."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.batches import Batch
from engine.dated_rows import tally, when_by_piece
from engine.instants import instants_of
from engine.monitor import Columns
from engine.time_ranges import contained, overlapping, stretches_between, stretches_in, stretches_of
from engine.windows import Window
from signals.timestamps import TimeFormat

START = datetime(2013, 7, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = Columns("at")

minutes = st.lists(st.one_of(st.none(), st.integers(0, 4 * 1440)), max_size=12)
windows = st.builds(
    lambda start, length: Window(START + start, START + start + length),
    st.timedeltas(-DAY, 4 * DAY),
    st.timedeltas(HOUR, 2 * DAY),
)


class Rows:
    """Batches of timestamps, each of a piece; mapped here and now, as one task would."""

    def __init__(self, batches: list[tuple[int, list[int | None]]], form: str) -> None:
        self._batches = [Batch({"at": written(each, form)}, len(each), origin) for origin, each in batches]

    def map(self, work, names, schema):
        assert names == ("at",)
        self._found = pa.Table.from_batches(work(iter(self._batches), 0), schema)
        return self

    def toArrow(self) -> pa.Table:
        return self._found


def written(each: list[int | None], form: str) -> pa.Array:
    moments = [None if minute is None else START + minute * timedelta(minutes=1) for minute in each]
    if form == "text":
        return pa.array([moment and moment.isoformat() for moment in moments], pa.string()).dictionary_encode()
    return pa.array(moments, pa.timestamp("us", "UTC"))


@given(batches=st.lists(st.tuples(st.integers(0, 2), minutes), max_size=5), form=st.sampled_from(["text", "time"]),
       spans=st.lists(windows, min_size=1, max_size=4))  # fmt: skip
def test_a_window_overlaps_a_piece_exactly_where_it_has_rows(batches, form, spans):
    found = when_by_piece(Rows(batches, form), AT)
    for piece in range(3):
        own = [
            START + n * timedelta(minutes=1)
            for origin, each in batches
            if origin == piece
            for n in each
            if n is not None
        ]
        holds = overlapping([found.get(str(piece), [])], spans)[0]
        assert holds.tolist() == [any(span.start <= moment < span.end for moment in own) for span in spans]


@given(
    batches=st.lists(st.tuples(st.integers(0, 2), minutes), max_size=5), spans=st.lists(windows, min_size=1, max_size=4)
)
def test_rows_are_counted_by_window_with_the_first_and_the_last(batches, spans):
    found = tally(Rows(batches, "time"), AT, spans)
    moments = instants_of([START + n * timedelta(minutes=1) for _, each in batches for n in each if n is not None])
    for span in spans:
        start, end = instants_of([span.start, span.end])
        own = moments[(moments >= start) & (moments < end)]
        assert found.get(span) == ((len(own), own.min(), own.max()) if len(own) else None)


def test_texts_and_what_is_no_time_are_not_told_by_their_ends():
    for low, high in (("2013-07-01", "2013-07-02"), (True, True), (math.nan, 1.0), (None, None),
                      (Decimal(1), Decimal(2)), (b"a", b"b")):  # fmt: skip
        assert stretches_between(low, high, TimeFormat.AUTO) is None
    assert stretches_between(1, 2, TimeFormat.ISO) is None


@pytest.mark.parametrize("number", [2**64, -(2**64), 1e300, -1e300])
@pytest.mark.parametrize("form", [TimeFormat.AUTO, TimeFormat.SECONDS, TimeFormat.NANOSECONDS])
def test_a_number_that_is_far_from_any_time_is_far_from_every_window(number, form):
    found = stretches_between(number, number, form)
    assert not overlapping([found], [Window(START, START + DAY)]).any()


def test_a_time_that_lost_its_microseconds_in_a_log_is_still_of_its_window():
    high = START + timedelta(milliseconds=1)
    after = [
        Window(high + timedelta(microseconds=500), START + DAY),
        Window(high + timedelta(milliseconds=1), START + DAY),
    ]
    assert overlapping([stretches_between(START, high, TimeFormat.AUTO, 999)], after).tolist() == [[True, False]]


def test_a_partitions_constant_tells_its_time():
    day = int(instants_of([START])[0])
    seconds = day // 10**6
    for value in (pa.scalar("2013-07-01"), pa.scalar(START.date()), pa.scalar(START)):
        assert stretches_of(value, TimeFormat.AUTO) == [(day, day)]
    assert stretches_of(pa.scalar(seconds), TimeFormat.SECONDS) == [(day, day)]
    assert (day, day) in stretches_of(pa.scalar(seconds), TimeFormat.AUTO)
    for value in (pa.scalar("north"), pa.scalar(None, pa.string()), pa.scalar(None, pa.int64())):
        assert stretches_of(value, TimeFormat.AUTO) == []


def test_a_stretch_is_contained_in_a_window_that_holds_both_of_its_ends():
    day = Window(START, START + DAY)
    pieces = [stretches_in(day), stretches_in(Window(START, START + 2 * DAY)), None, []]
    assert contained(pieces, [day]).tolist() == [[True], [False], [False], [False]]
    assert overlapping(pieces, [day, Window(START + DAY, START + 2 * DAY)]).tolist() == [
        [True, False], [True, True], [True, True], [False, False],
    ]  # fmt: skip
    assert np.shape(overlapping([], [day])) == (0, 1)
