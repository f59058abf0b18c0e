"""Which features are numbers and which are categories, as far as the evidence of stored rows tells?"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.judgements import Check
from engine.store import Store
from signals.catalogue import Family, Kind
from signals.metrics import METRICS

__all__ = ["feature_kinds"]


def feature_kinds(store: Store, monitor: str, time: datetime) -> dict[Check, Kind]:
    """The kind of each check's feature; checks of which the run of that scheduled time tells none are not there.

    What one row of a feature tells holds for all of the signal's.
    """
    columns = ["signal", "group", "group_dimension", "metric_name", "details"]
    rows = store.read_metrics(monitor=monitor, start=time, end=time + timedelta(microseconds=1), columns=columns)
    told = {
        Check(row["signal"], row["group"], row["group_dimension"], row["metric_name"]): _told(
            row["metric_name"], json.loads(row["details"])
        )
        for row in rows.to_pylist()
    }
    known = {(check.signal, check.group): kind for check, kind in told.items() if kind}
    of_columns = [check for check in told if METRICS[check.metric].family in (Family.DRIFT, Family.QUALITY)]
    return {check: known[check[:2]] for check in of_columns if check[:2] in known}


def _told(metric: str, details: Mapping[str, Any]) -> Kind | None:
    """Numbers are compared between edges, and out of bounds above and below; categories are not."""
    kinds = METRICS[metric].kinds if metric in METRICS else frozenset[Kind]()
    if len(kinds) == 1:
        return next(iter(kinds))
    if "edges" in details or {"below", "above"} <= details.keys():
        return Kind.NUMERICAL
    return Kind.CATEGORICAL if "k" in details or "outside" in details else None
