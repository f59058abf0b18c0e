"""What a metric said of a group: a number with its evidence, or a reason; not judged yet."""

from dataclasses import dataclass

from engine.monitor import MetricRequest
from signals.measurement import Measurement, Undefined
from signals.segments import AGGREGATE
from signals.verdicts import Status

__all__ = ["DATASET", "Measured", "broken"]

DATASET = "dataset"
"""The group of a metric of a whole dataset."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric's answer for one group.

    Attributes:
        group: the feature, the prediction or the dataset.
        request: what was asked.
        result: what the metric answered.
        rows: the window's rows, as far as they are known.
        status: why the result is not to be judged, where that is not for its verdict to say.
        provisional: what is not final about it; None when it is.
        remark: what else to know about it; None when there is nothing.
        segment: the name of the rows that it is about; None where they could not be told.
        importance: the feature's share of all importance; None where it is no feature's, or not known.
    """

    group: str
    request: MetricRequest
    result: Measurement | Undefined
    rows: int | None = None
    status: Status | None = None
    provisional: str | None = None
    remark: str | None = None
    segment: str | None = AGGREGATE
    importance: float | None = None


def broken(group: str, request: MetricRequest, why: str) -> Measured:
    """The answer of a metric whose data cannot be read."""
    return Measured(group, request, Undefined(why), status=Status.ERROR)
