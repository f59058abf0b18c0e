"""What `docs/metrics.md` says: every metric, from the catalogue in which it is declared."""

from math import isinf

from signals.catalogue import Family, Kind, Metric
from signals.metrics import METRICS

__all__ = ["page"]

INTRODUCTION = """\
# The metrics

Any of a metric's names may be written, in any case and with or without underscores; results carry the first. *Bad* is
the direction that breaches when a threshold has no operator of its own.

"""

TITLES = {
    Family.DRIFT: "Drift (`data_drift`, `prediction_drift`)",
    Family.QUALITY: "Data quality of a feature (`data_quality`)",
    Family.DATASET: "Data quality of a dataset (`data_quality`, under `dataset`)",
    Family.CLASSIFICATION: "Performance of labels and scores (`model_performance`, under `classification`)",
    Family.REGRESSION: "Performance of numbers (`model_performance`, under `regression`)",
    Family.RANKING: "Performance of ranked items, means over groups (`model_performance`, under `ranking`)",
    Family.FAIRNESS: "A segment beside a base segment (`model_performance`, under `fairness`)",
    Family.COVERAGE: "Ground truth (`model_performance`, under `coverage`)",
    Family.ATTRIBUTION: "Importance of features (`feature_attribution_drift`)",
    Family.TOKENS: "Tokens (`generation_token_statistics`, under `totaltoken`)",
    Family.GENERATION: "Quality of answers (`generation_safety_quality`, each under its quality)",
}
OF_A_FEATURE = frozenset({Family.DRIFT, Family.QUALITY})


def page() -> str:
    """The page, in Markdown."""
    sections = "\n".join(_section(family, title) for family, title in TITLES.items())
    return INTRODUCTION + sections.rstrip() + "\n"


def _section(family: Family, title: str) -> str:
    metrics = sorted((entry for entry in METRICS.values() if entry.family is family), key=lambda entry: entry.name)
    header = ["name", "also", "what", "unit", "range", "bad", *(["for"] if family in OF_A_FEATURE else []), "source"]
    rows = [_row([*_facts(entry), *_kinds(entry), entry.source]) for entry in metrics]
    return "\n".join([f"## {title}", "", _row(header), "|---" * len(header) + "|", *rows, ""])


def _facts(entry: Metric) -> list[str]:
    low, high = entry.range
    ends = f"{'(−∞' if isinf(low) else f'[{low:g}'}, {'∞)' if isinf(high) else f'{high:g}]'}"
    aliases = ", ".join(f"`{alias}`" for alias in entry.aliases)
    return [f"`{entry.name}`", aliases, entry.summary, entry.unit, ends, entry.bad.value]


def _kinds(entry: Metric) -> list[str]:
    if entry.family not in OF_A_FEATURE:
        return []
    return [", ".join(kind.value for kind in Kind if kind in entry.kinds)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
