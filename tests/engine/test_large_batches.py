"""A scan of a frame asks Spark for large batches, and leaves the caller's session as it was."""

import pytest

from engine.spark import large_batches

ROWS, SIZE = (f"spark.sql.execution.arrow.{name}" for name in ("maxRecordsPerBatch", "maxBytesPerBatch"))


def of_session(spark):
    return spark.conf.get(ROWS, None), spark.conf.get(SIZE, None)


def test_batches_are_large_while_a_scan_runs(spark):
    with large_batches(spark, 26):
        assert of_session(spark) == ("32768", str(2**31 - 1))
    assert of_session(spark) == (None, None)


def failing_scan(spark):
    with large_batches(spark, 26):
        raise KeyError


def test_the_settings_come_back_when_a_scan_fails(spark):
    with pytest.raises(KeyError):
        failing_scan(spark)
    assert of_session(spark) == (None, None)


def test_rows_of_many_columns_come_in_fewer(spark):
    with large_batches(spark, 1_000):
        assert spark.conf.get(ROWS) == "4000"


def test_what_the_caller_has_set_is_left_alone(spark):
    spark.conf.set(ROWS, "7")
    try:
        with large_batches(spark, 26):
            assert of_session(spark) == ("7", str(2**31 - 1))
        assert of_session(spark) == ("7", None)
    finally:
        spark.conf.unset(ROWS)
