"""How a component's values are judged: by the threshold that came with them, or by the definition's."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.custom_rows import CustomRow
from engine.measured import DATASET, Measured
from engine.monitor import Custom, MetricRequest, Signal
from signals.catalogue import near_names
from signals.measurement import Measurement, Undefined
from signals.thresholds import FixedThreshold, Operator
from signals.verdicts import Status

__all__ = ["custom_answers"]


def custom_answers(signal: Signal, rows: Sequence[CustomRow], digest: str) -> list[Measured]:
    """What it returned, and for each metric that is named and that it did not return, that it did not.

    Args:
        signal: the custom signal.
        rows: what its component returned.
        digest: of the component's source, for the record.
    """
    custom = signal.custom
    assert custom is not None
    asked = {request.metric: request for request in signal.metrics}
    evidence = {"component": custom.component.name, "component_digest": digest}
    returned = sorted({row.metric for row in rows})
    return [
        *(_of_row(custom, asked.get(row.metric), row, evidence) for row in rows),
        *(
            Measured(DATASET, request, _not_returned(name, returned))
            for name, request in asked.items()
            if name not in returned
        ),
    ]


def _of_row(custom: Custom, asked: MetricRequest | None, row: CustomRow, evidence: Mapping[str, Any]) -> Measured:
    request = _judged_by(custom, asked, row)
    status = Status.ERROR if row.malformed else None
    if isinstance(row.value, Undefined):
        return Measured(row.group, request, row.value, status=status, segment=row.dimension)
    own = asked.threshold if asked else None
    other = isinstance(own, FixedThreshold) and own != request.threshold
    details = {**evidence, **({"defined_threshold": own.value} if other and isinstance(own, FixedThreshold) else {})}
    return Measured(
        row.group, request, Measurement(row.value, None, details=details), status=status, segment=row.dimension
    )


def _judged_by(custom: Custom, asked: MetricRequest | None, row: CustomRow) -> MetricRequest:
    """By the threshold that it returned, as Azure does, unless the definition has a range or a dynamic one."""
    own = asked.threshold if asked else None
    if row.threshold is None or not isinstance(own, FixedThreshold | None):
        return MetricRequest(row.metric, own)
    return MetricRequest(
        row.metric, FixedThreshold(row.threshold, custom.operators.get(row.metric, Operator.GREATER_THAN))
    )


def _not_returned(name: str, returned: list[str]) -> Undefined:
    near = near_names(name, returned)
    what = f"; it returned {', '.join(returned)}" if returned else "; it returned no rows"
    return Undefined(f"the component returned no metric {name!r}{f'; did it mean {near[0]!r}?' if near else what}")
