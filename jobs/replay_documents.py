"""A replay for machines: JSON, and nothing else on stdout."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from engine.replays import Beside
from engine.thresholds_in_force import InForce
from jobs.documents import time_text
from jobs.replayed import Budgeted, Replayed
from jobs.threshold_yaml import plain, threshold_document
from signals.thresholds import FixedThreshold, RangeThreshold

__all__ = ["replay_document"]


def replay_document(found: Replayed) -> str:
    """``{"monitor", "runs", "then", "now", "metrics", "months", "checks", "budget"}``."""
    judgements, metrics = found.judgements, [(check.signal, check.metric) for check in found.judgements.checks]
    months = [f"{time:%Y-%m}" for time in judgements.times]
    document = {
        "monitor": found.monitor,
        "runs": {
            "count": len(judgements.times),
            "first": time_text(judgements.times[0]),
            "last": time_text(judgements.times[-1]),
        },
        **asdict(found.replay.beside()),
        "metrics": [
            {"signal": signal, "metric_name": metric, **asdict(beside)}
            for (signal, metric), beside in found.replay.beside_by(metrics, judgements.check).items()
        ],
        "months": [
            {"month": month, **asdict(beside)}
            for month, beside in found.replay.beside_by(months, judgements.run).items()
        ],
        "checks": _checks(found),
        "remeasured": {"values": len(found.remeasured.values), "not_stored": dict(found.remeasured.missing)},
    }
    if found.budgeted:
        document["budget"] = _budget(found.budgeted)
    return json.dumps(document, ensure_ascii=False, indent=2)


def _checks(found: Replayed) -> list[dict[str, Any]]:
    by_check: Sequence[Beside] = found.replay.by_check()
    return [
        {
            "signal": check.signal,
            "group": check.group,
            "group_dimension": check.dimension,
            "metric_name": check.metric,
            "then": {"threshold": _threshold(found.then[place]), **_counts(by_check[place], "then")},
            "now": {"threshold": _threshold(found.now[place]), **_counts(by_check[place], "now")},
        }
        for place, check in enumerate(found.judgements.checks)
    ]


def _counts(beside: Beside, side: str) -> dict[str, int]:
    counts = beside.then if side == "then" else beside.now
    return {"breaches": counts.breaches, "alerts": counts.alerts}


def _threshold(in_force: InForce) -> dict[str, Any] | None:
    match in_force.threshold:
        case FixedThreshold(value, operator, _):
            return {"kind": in_force.kind, "operator": operator.value, "value": value}
        case RangeThreshold(low, high):
            return {"kind": in_force.kind, "low": low, "high": high}
        case None:
            return {"kind": in_force.kind} if in_force.kind else None


def _budget(budgeted: Budgeted) -> dict[str, Any]:
    kept = budgeted.proposals is not None
    return {
        "budget": str(budgeted.budget),
        "allowed": budgeted.allowed,
        "kept": kept,
        "thresholds": plain(threshold_document(budgeted.thresholds)) if kept else None,
    }
