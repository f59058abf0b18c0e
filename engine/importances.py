"""How much does each feature matter to a model? Told by columns with attributions, or else learnt from the rows.

A column with attributions, such as SHAP values, says what its feature added to each prediction: the mean of their
absolute values is the feature's importance. Without such columns a surrogate (`engine.surrogate`) learns the target
from a sample.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from engine.attribution_means import mean_attributions
from engine.batches import Dataset
from engine.monitor import Columns
from engine.readings import Readings
from engine.roles import attribution_columns, require
from engine.sampling import Sample, SampledColumn, sample_rows
from engine.surrogate import fit_surrogate
from engine.windows import Window
from signals.bins import ValueType
from signals.catalogue import Kind
from signals.encoding import encode, read_target
from signals.importances import ATTRIBUTIONS, SURROGATE, Importances, shares_of
from signals.measurement import Undefined
from signals.segments import EVERYTHING, Segment
from signals.values import value_type_of

__all__ = ["Answer", "ImportanceRequest", "feature_columns", "importances_of"]

SAMPLE_ROWS, FEWEST_ROWS = 20_000, 2_000
SAMPLE_VALUES = 4_000_000
"""So many values a sample has at most, unless `FEWEST_ROWS` rows have more; all samples of one job have four times as
many."""
TEXTS = (ValueType.STRING, ValueType.BOOLEAN)
NOTHING: Mapping[str, Kind] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one window: the features' importances, or why there are none; and how many rows it has."""

    found: Importances | Undefined
    rows: int | None = None


@dataclass(frozen=True)
class ImportanceRequest:
    """What is asked of a dataset.

    Attributes:
        dataset, roles: its rows, and which column plays which role.
        features: the columns whose importance is asked for.
        target: the column that they explain; None where none plays that role.
        ml_task: what the model does, where somebody said so.
        segment: the rows.
    """

    dataset: Dataset
    roles: Columns
    features: tuple[SampledColumn, ...]
    target: str | None
    ml_task: str | None = None
    segment: Segment = EVERYTHING

    @property
    def attributions(self) -> dict[str, str]:
        """The column of each feature that has one with attributions."""
        found = attribution_columns(self.roles, self.dataset.columns)
        return {each.name: found[each.name] for each in self.features if each.name in found}

    @property
    def question(self) -> str:
        """Equal for requests with the same answer where their data are the same."""
        asked = [(each.name, each.value_type.value, each.kind.value) for each in self.features]
        limits = (SAMPLE_ROWS, FEWEST_ROWS, SAMPLE_VALUES)
        parts = (asked, self.target, self.attributions, self.ml_task, self.segment.name, limits, self.roles.timestamp)
        return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def feature_columns(
    columns: Mapping[str, pa.DataType], names: Collection[str], override: Mapping[str, Kind] = NOTHING
) -> tuple[SampledColumn, ...]:
    """The columns of these names that have a distribution, in the dataset's order, and how each is read."""
    found: list[SampledColumn] = []
    for name, kind in columns.items():
        value_type = value_type_of(kind) if name in names else None
        if value_type is not None:
            usual = Kind.CATEGORICAL if value_type in TEXTS else Kind.NUMERICAL
            wanted = override.get(name, usual)
            read_as = ValueType.DOUBLE if wanted is Kind.NUMERICAL and value_type in TEXTS else value_type
            found.append(SampledColumn(name, read_as, wanted))
    return tuple(found)


def importances_of(
    asked: ImportanceRequest, windows: Sequence[Window | None], readings: Readings
) -> dict[Window | None, Answer]:
    """The features' importance in each window, or why it cannot be told.

    Args:
        asked: of which data.
        windows: stretches of time; the only one None: all rows.
        readings: takes in how many rows were read.

    Raises:
        DataError: when the data cannot be read, lack a column, or no surrogate can be fitted in this session.
    """
    if asked.attributions:
        return _attributed(asked, windows, readings)
    if asked.target is None:
        return dict.fromkeys(windows, Answer(Undefined("no column is known as the target that features explain")))
    require(asked.dataset.title, "target", asked.target, asked.dataset.columns)
    if not asked.features:
        return dict.fromkeys(windows, Answer(Undefined("there are no features")))
    size = max(FEWEST_ROWS, min(SAMPLE_ROWS, SAMPLE_VALUES // (len(asked.features) + 1)))
    at_once = max(1, 4 * SAMPLE_VALUES // (size * (len(asked.features) + 1)))
    found: dict[Window | None, Answer] = {}
    for start in range(0, len(windows), at_once):
        samples = sample_rows(
            asked.dataset,
            asked.roles,
            (*asked.features, *feature_columns(asked.dataset.columns, {asked.target})),
            windows[start : start + at_once],
            size,
            segment=asked.segment,
        )
        for window, sample in samples.items():
            readings.count(sample.rows, 0.0)
            found[window] = Answer(_learnt(asked, asked.target, sample, readings), sample.rows)
    return found


def _learnt(asked: ImportanceRequest, name: str, sample: Sample, readings: Readings) -> Importances | Undefined:
    if not sample.rows:
        return Undefined("there are no rows")
    target = read_target(sample.columns[name], asked.ml_task)
    if isinstance(target, Undefined):
        return Undefined(f"the target {name!r}: {target.reason}")
    features = encode({each.name: sample.columns[each.name] for each in asked.features})
    found = fit_surrogate(readings.spark, features, target)
    if isinstance(found, Undefined):
        return Undefined(f"the target {name!r}: {found.reason}")
    # A forest that knows no more than the mean has only learnt chance.
    grown = found.importances if found.explained > 0 else np.zeros(len(features.names))
    shares = shares_of(dict(zip(features.names, grown.tolist(), strict=True)))
    return Importances(shares, int(target.known.sum()), SURROGATE, name, found.explained)


def _attributed(
    asked: ImportanceRequest, windows: Sequence[Window | None], readings: Readings
) -> dict[Window | None, Answer]:
    found: dict[Window | None, Answer] = {}
    means = mean_attributions(asked.dataset, asked.roles, asked.attributions, windows, segment=asked.segment)
    for window, each in means.items():
        readings.count(each.rows, 0.0)
        none = Undefined("no row has attributions" if each.rows else "there are no rows")
        known = Importances(shares_of(each.means), each.known, ATTRIBUTIONS)
        found[window] = Answer(known if each.known else none, each.rows)
    return found
