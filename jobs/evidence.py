"""What a stored row knows beside its number, in sentences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.wording import listed, moment, number, percent, plural, printable

__all__ = ["evidence_of"]

Row = Mapping[str, Any]
TOLD_ELSEWHERE = frozenset(
    {
        "baseline_value", "bins", "binning", "contributions", "edges", "k", "more_contributions", "more_features",
        "nulls", "p_value_method", "provisional", "unseen", "values",
    }
)  # fmt: skip
NAMES = {"standard_deviation": "the baseline's standard deviation", "at": "where the gap is widest"}
CONFUSION = ("true_positives", "false_positives", "false_negatives", "true_negatives")


def evidence_of(row: Row, every: Sequence[Row]) -> list[str]:
    """Sentences on one row; `every` row of its run, because a feature's nulls are told beside its drift."""
    details, said = row["details"], list[str]()
    told = TOLD_ELSEWHERE
    if row["metric_name"] in ("null_value_rate", "percent_empty") and "nulls" in details:
        said.append(_nulls(row))
        told = told | {"nans"}
    elif row["metric_name"] == "out_of_bounds_rate" and "low" in details:
        said.append(_bounds(row))
        told = told | {"below", "above", "low", "high"}
    elif "baseline_value" in details:
        said.append(f"the baseline's own value is {number(details['baseline_value'])}")
    if "history" in details:
        said.append(_history(row["operator"], details["history"]))
    if "contributions" in details:
        said += [_nulls(each) for each in every if _is_null_rate_of(each, row) and each["details"].get("nulls")]
    if all(name in details for name in CONFUSION):
        said.append(_confusion(details))
        told = told | {*CONFUSION, "positive_class"}
    if "labelled" in details and "ground_truth_coverage" in details:
        said.append(_coverage(details))
        told = told | {"labelled", "unlabelled", "ground_truth_coverage"}
    said += _named(details)
    said += [
        f"{NAMES.get(name, name.replace('_', ' '))}: {_plain(value)}"
        for name, value in details.items()
        if name not in told and not isinstance(value, dict | list) and value is not None
    ]
    return said


def _history(operator: str, history: Mapping[str, Any]) -> str:
    """What a dynamic threshold stands on, as the sum that it is."""
    first, last = (moment(datetime.fromisoformat(history[end])) for end in ("from", "to"))
    sign = "−" if operator.startswith("less") else "+"
    if "mean" in history:
        center, spread = f"mean {number(history['mean'])}", "standard deviation"
        deviation = history["standard_deviation"]
    else:
        center, spread = f"median {number(history['median'])}", "1.4826 × median absolute deviation"
        deviation = history["median_absolute_deviation"]
    points = plural(history["points"], "earlier value")
    bound = f"{center} {sign} {history['k']:g} × {spread} {number(deviation)}"
    return f"the threshold stands on {points}, from {first} to {last}: {bound}"


def _is_null_rate_of(other: Row, row: Row) -> bool:
    return other["metric_name"] == "null_value_rate" and other["group"] == row["group"]


def _nulls(row: Row) -> str:
    details = row["details"]
    nans = f", {details['nans']:,} of them NaN" if details.get("nans") else ""
    share = f" ({percent(details['nulls'] / row['row_count'])})" if row["row_count"] else ""
    before = details.get("baseline_value")
    scale = 100 if row["metric_name"] == "percent_empty" else 1
    beside = f"; of the baseline {percent(before / scale)}" if before is not None else ""
    return f"{details['nulls']:,} of {number(row['row_count'])} rows are null{share}{nans}{beside}"


def _bounds(row: Row) -> str:
    details = row["details"]
    return (
        f"{details['below']:,} below the baseline's least value {number(details['low'])}, "
        f"{details['above']:,} above its greatest {number(details['high'])}"
    )


def _confusion(details: Mapping[str, Any]) -> str:
    hits, alarms, misses, rest = (details[name] for name in CONFUSION)
    about = f" {details['positive_class']!r}" if "positive_class" in details else ""
    return (
        f"the positive class{about}: {hits:,} found, {misses:,} missed; {alarms:,} false alarms, "
        f"{rest:,} rightly left alone"
    )


def _coverage(details: Mapping[str, Any]) -> str:
    share = percent(details["ground_truth_coverage"])
    return f"{details['labelled']:,} predictions have their ground truth, {details['unlabelled']:,} do not ({share})"


def _named(details: Mapping[str, Any]) -> list[str]:
    said: list[str] = []
    if details.get("unseen"):
        values = [f"{value} ({count:,})" for value, count in _counted(details["unseen"])]
        said.append(f"not in the baseline: {listed(values, 10)}")
    if details.get("moved"):
        moved = [
            f"{place} from {number(before)} to {number(now)} ({percent(share)} of it)"
            for place, now, before, share in details["moved"]
        ]
        said.append(f"dimensions that moved most: {listed(moved, 5)}")
    if details.get("features"):
        said.append(f"importances that moved most: {listed([_importance(each) for each in details['features']], 6)}")
    if str(details.get("p_value_method", "")).startswith("none: "):
        said.append(f"no p-value: {details['p_value_method'].removeprefix('none: ')}")
    if details.get("values"):
        said.append(f"these: {listed([printable(str(value)) for value in details['values']], 10)}")
    return said


def _importance(feature: Mapping[str, Any]) -> str:
    before, now = percent(feature["baseline_importance"]), percent(feature["importance"])
    return f"{feature['feature']} {before} → {now} (place {feature['baseline_rank']} → {feature['rank']})"


def _counted(unseen: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(printable(value), count) for value, count in unseen.items()]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else str(value)
