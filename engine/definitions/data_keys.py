"""How a dataset is written: where its rows are, which columns play which role, which window of it."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from engine.definitions.shape import Complaint, Shape, complain, key
from engine.definitions.words import Duration, Instant, Length, Name, OneOf, Text, many
from engine.monitor import Context, TimeFormat

__all__ = [
    "PREPROCESSING", "ColumnNames", "DataWindow", "InputData", "OneOrMore", "ProductionColumns", "ProductionData",
    "ReferenceColumns", "ReferenceData",
]  # fmt: skip

CONTEXTS = OneOf(
    tuple(Context),
    {"actuals": "ground_truth", "ground_truth_data": "ground_truth", "model_input_output": "model_inputs_outputs"},
)
TIME_FORMATS = OneOf(tuple(TimeFormat), {"iso": "iso8601"})
FORMATS = ("parquet", "delta", "csv", "json", "collector")
STEPS = OneOf(("year", "month", "day", "hour"))


class InputData(Shape):
    """Where rows come from: exactly one of path, table and query."""

    refused: ClassVar = {"path_on_compute": ("is a folder of an Azure compute instance", "write path: …")}

    path: Name | None = key(
        default=None,
        description="A file, a folder or a URI, relative to the YAML file; or `azureml:name:version`, a name in "
        "`assets.yaml`.",
    )
    table: Name | None = key(default=None, description="A table that Spark knows, such as `catalog.schema.table`.")
    query: Name | None = key(default=None, description="A query of Spark SQL; it reads, and calls no Java.")
    type: Annotated[str, OneOf(("uri_file", "uri_folder", "mltable"))] | None = key(
        default=None, description="Azure's kind of asset; driftline looks at the path itself."
    )
    mode: Text | None = key(default=None, description="Accepted for Azure's sake; data is read where it is.")
    datastore: Text | None = key(default=None, description="Accepted for Azure's sake; data is read where it is.")
    format: Annotated[str, OneOf(FORMATS, {"jsonl": "json"})] | None = key(
        default=None,
        description="Found out from the path when left out; `collector` is what Azure's data collector writes.",
    )
    options: dict[str, Text] = key(default_factory=dict, description="Spark's reader options.")
    partitions: dict[str, Annotated[str, STEPS]] = key(
        default_factory=dict,
        description="Partition columns that tell the time (UTC), each with its step (`date: day`), so that what a "
        "window cannot need is not read.",
    )
    append_only: bool | None = key(
        default=None,
        description="Whether rows are only ever added, never changed. Of a table or query it cannot be told otherwise: "
        "with `true`, days whose number of rows is the same as before are not read again.",
    )
    joined_within: Duration | None = key(
        default=None,
        description="In several `production_data` that are joined by correlation id: how far in time rows of this one "
        "lie from the first one's rows with the same id, at most (`PT0S`: they carry the same timestamp). Then only "
        "that part of it is read for a window; without it all of it is.",
    )

    def complaints(self) -> Iterator[Complaint]:
        given = [name for name in ("path", "table", "query") if getattr(self, name)]
        if not given:
            yield Complaint(("path",), "is missing", "say where the rows are: path, table or query")
        for extra in given[1:]:
            yield Complaint((extra,), f"cannot go with {given[0]}", "keep one of them")


def _attributions(value: Any) -> Any:
    """Columns by feature; a text with one star is the name of all of them."""
    if isinstance(value, str):
        if value.count("*") != 1 or value == "*":
            raise complain(f"{value!r} has to have one * for the feature", 'such as "*_shap"')
        return {"*": value}
    return {} if value is None else value


AttributionNames = Annotated[
    dict[Name, Name], BeforeValidator(_attributions, json_schema_input_type=dict[Name, Name] | str | None)
]


class ColumnNames(Shape):
    """Which column plays which role; null for none."""

    timestamp: Name | None = key(
        default=None, description="When a row happened; in ground truth, when the label became known."
    )
    timestamp_format: Annotated[str, TIME_FORMATS] = key(
        default="auto", description="How the timestamp is written; `auto` finds it out and says which."
    )
    correlation_id: Name | None = key(
        "correlation_id", "join_column", default=None, description="What rows of several datasets are joined by."
    )
    prediction: Name | None = key(default=None, description="The predicted label or number.")
    score: Name | None = key(
        "score",
        "prediction_probability",
        default=None,
        description="The predicted probability of the positive class; a ranked item's score, the higher the better.",
    )
    actual: Name | None = key(
        default=None, description="The true label or number; of a ranked item its relevance, 0 or more."
    )
    group: Name | None = key(
        "group",
        "prediction_group_id",
        default=None,
        description="Ranking: what an item is an item of, such as a query or a session.",
    )
    rank: Name | None = key(
        default=None, description="Ranking: an item's place in its group, from 1; when left out, the `score` ranks."
    )
    attributions: AttributionNames = key(
        default_factory=dict,
        description="The columns that say how much each feature added to a prediction (SHAP values, say), by feature; "
        'or how they are named, with `*` for the feature: `"*_shap"`.',
    )


class ProductionColumns(ColumnNames):
    """Column roles of production data, where `target_column` is the prediction."""

    prediction: Name | None = key(
        "prediction", "target_column", default=None, description="The predicted label or number."
    )


class ReferenceColumns(ColumnNames):
    """Column roles of training data and ground truth, where `target_column` is the truth.

    Prediction drift compares the reference's `prediction`, or its `actual` where it has none.
    """

    actual: Name | None = key("actual", "target_column", default=None, description="The true label or number.")


DEFAULT = "default"


def _or_default(value: Any) -> Any:
    return None if value == DEFAULT else value


SizeOrDefault = Annotated[
    Length | None, BeforeValidator(_or_default, json_schema_input_type=Length | Literal["default"] | None)
]
OffsetOrDefault = Annotated[
    Duration | None, BeforeValidator(_or_default, json_schema_input_type=Duration | Literal["default"] | None)
]


class DataWindow(Shape):
    """A window that moves with each run (size and offset), or one that stays (start and end)."""

    lookback_window_size: SizeOrDefault = key(
        "lookback_window_size",
        "data_window_size",
        "trailing_window_size",
        default=None,
        description="How long the window is, as an ISO-8601 duration; months and years are those of the calendar.",
    )
    lookback_window_offset: OffsetOrDefault = key(
        "lookback_window_offset",
        "trailing_window_offset",
        default=None,
        description="How long before the scheduled time the window ends.",
    )
    window_start: Instant | None = key(
        "window_start", "window_start_date", default=None, description="Where a fixed window starts (UTC)."
    )
    window_end: Instant | None = key(
        "window_end", "window_end_date", default=None, description="Where it ends; the end is not in it."
    )

    def complaints(self) -> Iterator[Complaint]:
        moving = [name for name in ("lookback_window_size", "lookback_window_offset") if getattr(self, name)]
        if not (self.window_start or self.window_end):
            return
        for name in moving:
            yield Complaint((name,), "cannot go with a fixed window", "keep either window_start and window_end, or it")
        for name in ("window_start", "window_end"):
            if not getattr(self, name):
                yield Complaint((name,), "is missing", "a fixed window has a start and an end")
        if self.window_start and self.window_end and self.window_end <= self.window_start:
            yield Complaint(("window_end",), "is not after window_start")


WindowOrDefault = Annotated[
    DataWindow | None,
    BeforeValidator(
        lambda value: DataWindow() if value == DEFAULT else value,
        json_schema_input_type=DataWindow | Literal["default"] | None,
    ),
]


PREPROCESSING = (
    "What makes the rows of `input_data`: `azureml:name:version`, a component in `assets.yaml`, or `module:function`, "
    "a function of a file in `components/`. It is called with `data_window_start`, `data_window_end` and `input_data`, "
    "and returns a DataFrame."
)


class DataBlock(Shape):
    """One dataset of a signal; what it leaves out comes from the monitored model."""

    input_data: InputData | None = key(default=None, description="Where the rows are; the model's data when left out.")
    data_context: Annotated[str, CONTEXTS] | None = key(
        default=None, description="What the dataset is to the model; the signal's type says it when left out."
    )
    data_window: WindowOrDefault = key(default=None, description="Which part of it; see *Windows*.")
    data_window_size: Length | None = key(default=None, description="Short for a `data_window` of this size.")
    pre_processing_component: Name | None = key(default=None, description=PREPROCESSING)

    def complaints(self) -> Iterator[Complaint]:
        if self.data_window is not None and self.data_window_size:
            yield Complaint(("data_window_size",), "cannot go with data_window", "keep one of them")

    @property
    def window(self) -> DataWindow | None:
        """The window that is asked for, whichever way; None where none is."""
        if self.data_window_size:
            return DataWindow.model_construct(lookback_window_size=self.data_window_size)
        return self.data_window


class ProductionData(DataBlock):
    """A dataset of what the model did in production."""

    data_column_names: ProductionColumns = key(
        default=ProductionColumns(), description="Which column plays which role."
    )

    @property
    def columns(self) -> ProductionColumns:
        """The roles that are written."""
        return self.data_column_names


class ReferenceData(DataBlock):
    """What production is compared with: training data, the past, or for performance the ground truth."""

    data_column_names: ReferenceColumns = key(default=ReferenceColumns(), description="Which column plays which role.")
    target_column_name: Name | None = key(default=None, description="Short for `data_column_names.target_column`.")

    def complaints(self) -> Iterator[Complaint]:
        yield from super().complaints()
        if self.target_column_name and "actual" in self.data_column_names.model_fields_set:
            hint = "keep one of them"
            yield Complaint(("target_column_name",), "cannot go with data_column_names.target_column", hint)

    @property
    def columns(self) -> ReferenceColumns:
        """The roles that are written, whichever way."""
        if self.target_column_name:
            return self.data_column_names.model_copy(update={"actual": self.target_column_name})
        return self.data_column_names


OneOrMore = Annotated[
    tuple[ProductionData, ...],
    BeforeValidator(many, json_schema_input_type=ProductionData | tuple[ProductionData, ...]),
]
