"""A row's time is found however it is written, and a time that cannot be is none."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signals.timestamps import UNDATED, TimeFormat, find_format, read_instants

MOMENT = datetime(2013, 7, 2, 3, 15, 0, 250_000, tzinfo=UTC)
MICROS = 1_372_734_900_250_000
DAY = MICROS - MICROS % 86_400_000_000


@pytest.mark.parametrize(
    ("array", "form", "instant"),
    [
        (pa.array([MOMENT], pa.timestamp("us", "UTC")), TimeFormat.TIMESTAMP, MICROS),
        (pa.array([MOMENT], pa.timestamp("ns", "America/New_York")), TimeFormat.TIMESTAMP, MICROS),
        (pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("ms")), TimeFormat.TIMESTAMP, MICROS),
        (pa.array([date(2013, 7, 2)]), TimeFormat.DATE, DAY),
        (pa.array([date(2013, 7, 2)], pa.date64()), TimeFormat.DATE, DAY),
        (pa.array(["2013-07-02T03:15:00.250Z"]), TimeFormat.ISO, MICROS),
        (pa.array(["2013-07-01 23:15:00.250-04:00"]), TimeFormat.ISO, MICROS),
        (pa.array(["2013-07-02"]), TimeFormat.ISO, DAY),
        (pa.array(["2013-07-02"]).dictionary_encode(), TimeFormat.ISO, DAY),
        (pa.array([MICROS // 10**6], pa.int64()), TimeFormat.SECONDS, MICROS // 10**6 * 10**6),
        (pa.array([MICROS // 10**6], pa.int32()), TimeFormat.SECONDS, MICROS // 10**6 * 10**6),
        (pa.array([MICROS / 1e6]), TimeFormat.SECONDS, MICROS),
        (pa.array([Decimal("1372734900.25")]), TimeFormat.SECONDS, MICROS),
        (pa.array([MICROS // 10**3]), TimeFormat.MILLISECONDS, MICROS),
        (pa.array([MICROS]), TimeFormat.MICROSECONDS, MICROS),
        (pa.array([MICROS * 1000]), TimeFormat.NANOSECONDS, MICROS),
    ],
)  # fmt: skip
def test_any_way_of_writing_a_time_is_found_and_read(array, form, instant):
    values = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    assert find_format(values) is form
    assert read_instants(array, form).tolist() == [instant]
    assert read_instants(array, TimeFormat.AUTO).tolist() == [instant]


@pytest.mark.parametrize("form", [TimeFormat.SECONDS, TimeFormat.MILLISECONDS, TimeFormat.MICROSECONDS])
def test_epoch_numbers_may_be_text_where_they_are_declared(form):
    factor = {TimeFormat.SECONDS: 10**6, TimeFormat.MILLISECONDS: 10**3, TimeFormat.MICROSECONDS: 1}[form]
    assert read_instants(pa.array([str(DAY // factor), "soon"]), form).tolist() == [DAY, UNDATED]


@pytest.mark.parametrize("form", list(TimeFormat))
@pytest.mark.parametrize(
    "array",
    [
        pa.array([None, None], pa.timestamp("us")),
        pa.nulls(2),
        pa.array(["yesterday", ""]),
        pa.array([np.nan, np.inf]),
        pa.array([1e300, -np.inf]),
        pa.array([[1], [2]]),
        pa.array([b"x", b"y"]),
    ],
    ids=lambda array: str(array.type),
)
def test_a_time_that_cannot_be_read_is_none(array, form):
    assert read_instants(array, form).tolist() == [UNDATED, UNDATED]


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(sorted(TimeFormat)))
def test_no_number_is_too_large_to_be_read_and_none_wraps_round(number, form):
    per = {TimeFormat.SECONDS: 10**6, TimeFormat.MILLISECONDS: 10**3, TimeFormat.MICROSECONDS: 1}
    found = read_instants(pa.array([number], pa.int64()), form)[0]
    if form in per:
        assert found in (number * per[form], UNDATED)
    assert find_format(pa.array([number], pa.int64())) in set(TimeFormat)


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
years = st.integers(1900, 2200)


@given(st.datetimes(timezones=offsets), years)
@example(datetime(2106, 7, 23, 6, 56, 41, 377_683, tzinfo=UTC), 2106)  # a double of seconds would be one off
def test_text_with_an_offset_is_the_moment_that_it_names(at, year):
    moment = at.replace(year=year, day=min(at.day, 28))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert read_instants(pa.array([moment.isoformat()]), TimeFormat.ISO)[0] == since // timedelta(microseconds=1)


@given(
    st.integers(10**8, 4 * 10**9), st.sampled_from([("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6)])
)
def test_epoch_numbers_from_1973_on_are_told_apart_by_their_size(second, unit):
    name, factor = unit
    assert find_format(pa.array([second * factor])) == f"epoch_{name}"
