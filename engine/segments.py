"""Which rows of a dataset is a signal about? Filters on the model's dimensions, as conditions on its columns."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from engine.errors import DataError
from engine.monitor import Columns, Filter, FilterDimension
from signals.segments import Condition, Segment
from signals.values import value_type_of

__all__ = ["ROLES", "segment_of", "split"]

ROLES: Mapping[FilterDimension, str] = {
    FilterDimension.PREDICTION_CLASS: "prediction",
    FilterDimension.PREDICTION_SCORE: "score",
    FilterDimension.ACTUAL_CLASS: "actual",
    FilterDimension.ACTUAL_SCORE: "actual",
}
"""The role of `Columns` whose column a dimension asks about; features and tags name theirs."""
ACTUALS = frozenset({FilterDimension.ACTUAL_CLASS, FilterDimension.ACTUAL_SCORE})


def segment_of(filters: Sequence[Filter], roles: Columns, title: str, columns: Mapping[str, pa.DataType]) -> Segment:
    """The rows of a dataset that pass all filters.

    Args:
        filters: what is asked; none: all rows.
        roles: which of its columns play which role.
        title: how messages name the dataset.
        columns: its columns' Arrow types by name.

    Raises:
        DataError: with everything because of which the dataset cannot answer: a column or role that it does not have,
            an operator or a value that does not fit a column's type.
    """
    problems: list[str] = []
    conditions: list[Condition] = []
    for asked in filters:
        column = asked.name if asked.name is not None else getattr(roles, ROLES[asked.dimension])
        if column is None:
            problems.append(_no_role(asked.dimension))
        else:
            conditions.append(_condition(asked, column, columns))
    segment = Segment(tuple(conditions))
    problems += segment.problems(columns)
    if problems:
        raise DataError("\n".join(f"{title} cannot be filtered: {problem}" for problem in dict.fromkeys(problems)))
    return segment


def split(filters: Sequence[Filter]) -> tuple[tuple[Filter, ...], tuple[Filter, ...]]:
    """The filters on what the model was given and said, and those on what turned out to be true."""
    of_production = tuple(asked for asked in filters if asked.dimension not in ACTUALS)
    return of_production, tuple(asked for asked in filters if asked.dimension in ACTUALS)


def _condition(asked: Filter, column: str, columns: Mapping[str, pa.DataType]) -> Condition:
    kind = columns.get(column)
    return Condition(column, asked.operator, asked.values, None if kind is None else value_type_of(kind))


def _no_role(dimension: FilterDimension) -> str:
    role = ROLES[dimension]
    return f"it has no {role} column, which {dimension} asks about; name it in data_column_names.{role}"
