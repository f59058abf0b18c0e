"""Where rows come from, which of their columns play which role, and which window of them is meant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from engine.mltable import MLTable
from signals.timestamps import TimeFormat

__all__ = [
    "Columns", "Component", "Context", "Data", "FixedWindow", "LookbackWindow", "Source", "TimeFormat",
    "WindowDefinition",
]  # fmt: skip


class Context(StrEnum):
    """What a dataset is to the model (Azure's `data_context`)."""

    MODEL_INPUTS = "model_inputs"
    MODEL_OUTPUTS = "model_outputs"
    MODEL_INPUTS_OUTPUTS = "model_inputs_outputs"
    GROUND_TRUTH = "ground_truth"
    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class Source:
    """Where rows come from: exactly one of path, table and query.

    Attributes:
        path: a file, a folder or a URI; local paths are absolute.
        table: a Spark table's name.
        query: Spark SQL.
        format: ``parquet``, ``delta``, ``csv``, ``json`` or ``collector``; None finds it out from the path.
        options: Spark reader options, passed through.
        partitions: hive partition columns that tell the time (UTC), each with its step: ``{"date": "day"}``. They may
            be pruned by the window; other partition columns are plain columns.
        append_only: whether rows are only ever added, never changed; so a count tells whether there are new ones.
        joined_within: where it is joined to another dataset, how far in time its rows lie from those with the same id
            at most, as an ISO-8601 duration; so only that part of it is read. None: nobody knows.
        type: what kind of asset it is said to be: ``uri_file``, ``uri_folder`` or ``mltable``; None where nothing is
            said.
        mltable: what the `MLTable` file at the path says; None without one.
        preprocessing: the component that makes the rows of what is there; None: they are read as they are.
    """

    path: str | None = None
    table: str | None = None
    query: str | None = None
    format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    partitions: Mapping[str, str] = field(default_factory=dict[str, str])
    append_only: bool = False
    joined_within: str | None = None
    type: str | None = field(default=None, repr=False)
    mltable: MLTable | None = field(default=None, repr=False)
    preprocessing: "Component | None" = field(default=None, repr=False)

    @property
    def identity(self) -> str:
        """Text that is equal for sources of the same rows: under it profiles and bins are kept.

        What most sources do not have is said only of those that have it, so that it stays the same text.
        """
        return repr(self) + self.made_by

    @property
    def made_by(self) -> str:
        """What is made of what lies there, as text; empty for rows that are taken as they are."""
        table = f" as {self.mltable!r}" if self.mltable else ""
        made = self.preprocessing
        return table + (f" through {made.name} ({made.module}:{made.function})" if made else "")


@dataclass(frozen=True)
class Columns:
    """Which column plays which role; None where there is none."""

    timestamp: str | None = None
    timestamp_format: TimeFormat = TimeFormat.AUTO
    correlation_id: str | None = None
    prediction: str | None = None
    """The predicted label (classification) or number (regression)."""
    score: str | None = None
    """The predicted probability of the positive class."""
    actual: str | None = None
    """The true label or number; in a training dataset the target; of a ranked item its relevance."""
    group: str | None = None
    """What a ranked item is an item of: a query, a session."""
    rank: str | None = None
    """A ranked item's place in its group, from 1; where it is left out, the score ranks."""
    attributions: tuple[tuple[str, str], ...] = ()
    """Features, each with the column that says how much it added to a prediction; or once ``*`` with the columns'
    name, in which ``*`` stands for the feature."""


@dataclass(frozen=True)
class Component:
    """A function of the user's own, in a file below a folder that holds such files.

    Attributes:
        name: how it is called when we talk to people about it, such as ``azureml:preprocess:1``.
        folder: where its module is looked for, and nowhere else; absolute.
        module: its dotted name in that folder.
        function: the function's name in the module.
    """

    name: str
    folder: Path
    module: str
    function: str


@dataclass(frozen=True)
class LookbackWindow:
    """``end = scheduled - offset``, ``start = end - size``; ISO-8601 durations (calendar months are calendar ones)."""

    size: str
    offset: str


@dataclass(frozen=True)
class FixedWindow:
    """The same window for every run, half-open, UTC."""

    start: datetime
    end: datetime


WindowDefinition = LookbackWindow | FixedWindow


@dataclass(frozen=True)
class Data:
    """One dataset as a signal uses it. `window` is None for a reference that is used whole."""

    source: Source
    context: Context
    columns: Columns = Columns()
    window: WindowDefinition | None = None
