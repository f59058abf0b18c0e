"""What a preprocessing component makes of its input: a DataFrame for each stretch of time that it is asked for."""

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from engine.components import frame_from, iso, trouble_of
from engine.errors import DataError
from engine.monitor import Component
from engine.spark import SPARK_ERRORS
from engine.windows import Window

__all__ = ["Calls"]

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these times lie all data: nanoseconds, as pandas counts them, reach no further than 2262."""
OUTPUT, OTHER_OUTPUT = "preprocessed_input_data", "preprocessed_data"
"""What a component may call the folder that it writes to: in Azure's examples, and in its documents."""


class Calls:
    """The calls of one component on one input; it is asked for each stretch of time once.

    Args:
        spark: the session.
        component: what is called.
        input_data: the path of its input, or the rows themselves.
    """

    def __init__(self, spark: SparkSession, component: Component, input_data: str | DataFrame) -> None:
        self._spark, self._component, self._input = spark, component, input_data
        self._frames: dict[Window, DataFrame] = {}
        self._rows: dict[Window, DataFrame] = {}

    def frame(self, window: Window) -> DataFrame:
        """What the component returns for a stretch of time; Spark has not looked at its rows yet.

        Raises:
            DataError: it failed, or returned no DataFrame with columns.
        """
        if window not in self._frames:
            self._frames[window] = self._called(window)
        return self._frames[window]

    def rows(self, window: Window) -> DataFrame:
        """The same, worked out: whoever reads it more than once, or finds an error in it, does not work it out again.

        Raises:
            DataError: it failed, also where Spark only found it out now.
        """
        if window not in self._rows:
            try:
                self._rows[window] = self.frame(window).localCheckpoint()
            except SPARK_ERRORS as error:
                raise DataError(trouble_of(self._component, error)) from error
        return self._rows[window]

    def _called(self, window: Window) -> DataFrame:
        folder = Path(tempfile.mkdtemp(prefix="driftline-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        available = {
            "data_window_start": iso(max(window.start, FIRST)),
            "data_window_end": iso(min(window.end, LAST)),
            "input_data": self._input,
            OTHER_OUTPUT: str(folder),
        }
        found = frame_from(self._spark, self._component, available, OUTPUT, folder)
        try:
            frame = found if isinstance(found, DataFrame) else self._from_pandas(found)
            columns = frame.columns
        except SPARK_ERRORS as error:
            raise DataError(trouble_of(self._component, error)) from error
        if not columns:
            raise DataError(f"component {self._component.name} returned a DataFrame without columns")
        return frame

    def _from_pandas(self, found: pd.DataFrame) -> DataFrame:
        names = [str(name) for name in found.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"component {self._component.name} returned several columns that are called {twice[0]!r}")
        columns = [_arrow(found.iloc[:, place]) for place in range(len(names))]
        return self._spark.createDataFrame(pa.table(columns, names)) if names else self._spark.range(0).select()


def _arrow(column: pd.Series) -> pa.Array:
    """A column in a type that Spark has; one of mixed types as text, so that its values are told apart by whoever reads
    them.
    """
    try:
        array = pa.Array.from_pandas(column)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        texts: Sequence[str | None] = [None if pd.isna(value) else str(value) for value in column]
        return pa.array(texts, pa.string())
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return array.cast(pa.string())
    if pa.types.is_unsigned_integer(array.type):
        return array.cast(pa.int64(), safe=False)
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us", array.type.tz), safe=False)
    return array
