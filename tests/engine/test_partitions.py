"""A partition is left out only where its folders prove that it has no row of the span."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.batches import Span
from engine.partitions import PartitionTime, partition_values

moments = st.datetimes(datetime(2012, 12, 1), datetime(2014, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001
WRITINGS = [
    ({"date": "day"}, lambda at: {"date": f"{at:%Y-%m-%d}"}),
    ({"day": "day"}, lambda at: {"day": f"{at.year}-{at.month}-{at.day}"}),
    ({"month": "month"}, lambda at: {"month": f"{at:%Y-%m}"}),
    ({"at": "hour"}, lambda at: {"at": f"{at:%Y-%m-%d %H}"}),
    ({"at": "hour"}, lambda at: {"at": f"{at:%Y-%m-%dT%H:00:00}"}),
    ({"year": "year", "month": "month", "day": "day"},
     lambda at: {"year": f"{at.year}", "month": f"{at.month}", "day": f"{at.day:02}", "store": "7"}),
    ({"year": "year", "month": "month"}, lambda at: {"year": f"{at.year}", "month": f"{at.month:02}"}),
    ({"date": "day", "hour": "hour"}, lambda at: {"date": f"{at:%Y-%m-%d}", "hour": f"{at.hour}"}),
    ({"date": "day"}, lambda at: {"date": f"{at:%Y%m%d}"}),
    ({"date": "day"}, lambda at: {"date": f"{at:%Y-%m}"}),
    ({"date": "day"}, lambda at: {"date": f"{at:%d-%m-%y}"}),
    ({"week": "day"}, lambda at: {"week": f"{at:%G-W%V}"}),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "folders"), WRITINGS)
@given(at=moments, start=moments, length=st.timedeltas(timedelta(0), timedelta(days=40)))
def test_no_row_of_the_span_is_ever_ruled_out(steps, folders, at, start, length):
    span = Span(start, start + length)
    if start <= at < start + length:
        assert PartitionTime(steps).overlaps(folders(at), span)
        assert PartitionTime(steps).overlaps(folders(at), Span(start, None))
        assert PartitionTime(steps).overlaps(folders(at), Span(None, start + length))


@pytest.mark.parametrize(("steps", "folders"), WRITINGS[:8])
@given(at=moments)
def test_what_lies_more_than_a_month_away_is_ruled_out(steps, folders, at):
    for start in (at + timedelta(days=32), at - timedelta(days=400)):
        far = Span(start, start + timedelta(hours=1))
        assert PartitionTime(steps).overlaps(folders(at), far) == ("year" in folders(at) and "month" not in steps)


def test_a_days_partition_is_exactly_its_day_in_utc():
    times = PartitionTime({"date": "day"})
    day = datetime(2013, 7, 1, tzinfo=UTC)
    assert not times.overlaps({"date": "2013-06-30"}, Span(day, day + timedelta(days=1)))
    assert times.overlaps({"date": "2013-07-01"}, Span(day, day + timedelta(days=1)))
    assert not times.overlaps({"date": "2013-07-02"}, Span(day, day + timedelta(days=1)))


@pytest.mark.parametrize("values", [{}, {"date": None}, {"date": "unknown"}, {"date": "2013-02-31"}, {"date": ""}])
def test_a_partition_whose_time_cannot_be_read_is_read(values):
    assert PartitionTime({"date": "day"}).overlaps(values, Span(None, datetime(1999, 1, 1, tzinfo=UTC)))


def test_partitions_that_are_not_declared_as_time_say_nothing():
    assert PartitionTime({}).overlaps({"date": "2013-07-01"}, Span(None, datetime(1999, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("part-0.parquet", {}),
        ("date=2013-07-01/part-0.parquet", {"date": "2013-07-01"}),
        ("a=1/b=x%20y%2Fz/c=/part.parquet", {"a": "1", "b": "x y/z", "c": ""}),
        ("a=__HIVE_DEFAULT_PARTITION__/part.parquet", {"a": None}),
        ("plain/a=b=c/part=1.parquet", {"a": "b=c"}),
    ],
)
def test_folders_tell_the_values_of_partition_columns(path, values):
    assert partition_values(path) == values
