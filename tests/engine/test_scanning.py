"""Windows are sums of the steps between all their ends."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.instants import instants_of
from engine.scanning import buckets_of, span_of
from engine.windows import Window

START = datetime(2013, 3, 1, tzinfo=UTC)
hours = st.tuples(st.integers(0, 60), st.integers(1, 30))
windows = st.lists(
    hours.map(lambda each: Window(START + timedelta(hours=each[0]), START + timedelta(hours=sum(each)))),
    min_size=1, max_size=8, unique=True,
)  # fmt: skip


@given(windows, st.lists(st.floats(-5, 100), max_size=40))
def test_the_buckets_of_a_window_hold_exactly_its_moments(windows, hours):
    buckets, members = buckets_of(windows)
    moments = [START + timedelta(hours=hour) for hour in hours]
    bucket = buckets.of(instants_of(moments))
    for window in windows:
        inside = [window.start <= moment < window.end for moment in moments]
        assert [found in members[window] for found in bucket.tolist()] == inside
        assert len(set(members[window])) == len(members[window])
    assert {number for numbers in members.values() for number in numbers} == set(range(buckets.count))


@given(windows)
def test_time_that_no_window_needs_has_no_bucket(windows):
    buckets, _ = buckets_of(windows)
    assert buckets.count <= 2 * len(windows) - 1
    assert span_of(windows).start == min(window.start for window in windows)
    assert span_of(windows).end == max(window.end for window in windows)
