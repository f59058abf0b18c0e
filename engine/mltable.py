"""What an `MLTable` file says: which files a table is made of, how they are read, and what becomes of their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signals.conversions import Conversion

__all__ = ["DEFINITION", "PATH_COLUMN", "Drop", "Header", "Keep", "MLTable", "Step", "TablePath", "conversions_in"]

DEFINITION = "MLTable"
"""The file that defines a table; it may lie among the files that it is about."""
PATH_COLUMN = "Path"
"""What `include_path_column` calls the column that tells a row's file."""


@dataclass(frozen=True, slots=True)
class TablePath:
    """One entry of `paths`: a file, a folder with all that is below it, or a pattern; absolute."""

    kind: Literal["file", "folder", "pattern"]
    path: str


@dataclass(frozen=True, slots=True)
class Keep:
    """All columns but these go."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """These columns go."""

    columns: tuple[str, ...]


Step = Keep | Drop | Conversion
Header = Literal["all_files_same_headers", "from_first_file", "all_files_different_headers", "no_header"]


@dataclass(frozen=True)
class MLTable:
    """A table's definition.

    Attributes:
        paths: where its files are.
        format: ``parquet``, ``csv`` or ``json``.
        options: Spark's reader options that its reading step means.
        header: of delimited files, where the columns' names are.
        infer_types: of delimited files, whether columns get the type that all their values have; else they are text.
        empty_as_text: of delimited files, whether an empty field of a text column is a text, and not a null.
        path_column: whether rows tell the file that they are of, in `PATH_COLUMN`.
        steps: what becomes of the columns, in order.
        said: what the file says, in one spelling, with its paths as they are written.
    """

    paths: tuple[TablePath, ...]
    format: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    header: Header = "all_files_same_headers"
    infer_types: bool = True
    empty_as_text: bool = False
    path_column: bool = False
    steps: tuple[Step, ...] = ()
    said: str = field(default="", repr=False)

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        """Those of the steps that change columns' types."""
        return conversions_in(self.steps)

    @property
    def converted(self) -> frozenset[str]:
        """The columns that are of another type than in the files."""
        return frozenset(name for step in self.conversions for name in step.columns)


def conversions_in(steps: Sequence[Step]) -> tuple[Conversion, ...]:
    """Those of some steps that change columns' types, in order."""
    return tuple(step for step in steps if isinstance(step, Conversion))
