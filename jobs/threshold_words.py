"""How is a threshold said? ``> 0.15``, ``0.5 to 2``, ``dynamic``."""

from engine.thresholds_in_force import InForce
from engine.wording import SYMBOLS, number
from signals.thresholds import FixedThreshold, RangeThreshold

__all__ = ["threshold_words"]


def threshold_words(in_force: InForce) -> str:
    """What breaches; where rows do not tell that, the kind of threshold, and an en dash where nothing is judged."""
    match in_force.threshold:
        case RangeThreshold(low, high):
            return f"not {number(low)} to {number(high)}"
        case FixedThreshold(value, operator, relative):
            return f"{SYMBOLS[operator]} {number(value)}" + (" above the baseline’s" if relative else "")
        case None:
            return in_force.kind or "–"
