"""How many answers did a component score, and how many of those scores are acceptable?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from engine.errors import DataError
from signals.catalogue import near_names
from signals.measurement import Undefined
from signals.pass_rates import Scores

__all__ = ["scores_in"]

Tally = tuple[int, int]
"""How many scores there are, and how many of them are acceptable."""


def scores_in(
    component: str, returned: DataFrame | pd.DataFrame, acceptable: Mapping[str, float], rows: int, sampled: int
) -> dict[str, Scores | Undefined]:
    """The scores of each quality that is asked for; of one that the component did not return, that it did not.

    Args:
        component: its name, for messages.
        returned: a row per answer, with a column for each quality; a null, a NaN and what is no number is no score.
        acceptable: the qualities that are asked for, each with the least score that passes.
        rows: answers in the window.
        sampled: those of them that the component got.

    Raises:
        DataError: it returned none of the qualities, or more rows than it got.
        PySparkException: Spark could not work it out.
    """
    has = [str(name) for name in returned.columns]
    there = {quality: least for quality, least in acceptable.items() if quality in has}
    if not there:
        asked = f"none of the columns {', '.join(acceptable)}"
        raise DataError(f"component {component} returned {asked}; there are {', '.join(has) or 'none'}")
    size, tallies = _in_spark(returned, there) if isinstance(returned, DataFrame) else _in_pandas(returned, there)
    if size > sampled:
        raise DataError(f"component {component} returned {size:,} rows for {sampled:,} answers: a row each is meant")
    return {
        quality: Scores(rows, sampled, *tallies[quality]) if quality in there else _not_returned(quality, has)
        for quality in acceptable
    }


def _in_spark(returned: DataFrame, acceptable: Mapping[str, float]) -> tuple[int, dict[str, Tally]]:
    counts = [F.count("*").alias("rows")]
    for place, (quality, least) in enumerate(acceptable.items()):
        score = F.col(quality).try_cast("double")
        finite = score.isNotNull() & (F.abs(score) < F.lit(float("inf")))  # NaN is above infinity to Spark
        counts += [F.count_if(finite).alias(f"n{place}"), F.count_if(finite & (score >= least)).alias(f"p{place}")]
    found = returned.agg(*counts).toArrow().to_pylist()[0]
    return found["rows"], {name: (found[f"n{at}"], found[f"p{at}"]) for at, name in enumerate(acceptable)}


def _in_pandas(returned: pd.DataFrame, acceptable: Mapping[str, float]) -> tuple[int, dict[str, Tally]]:
    tallies: dict[str, Tally] = {}
    for quality, least in acceptable.items():
        scores = pd.to_numeric(returned[quality], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        finite = scores[np.isfinite(scores)]
        tallies[quality] = (len(finite), int((finite >= least).sum()))
    return len(returned), tallies


def _not_returned(quality: str, has: list[str]) -> Undefined:
    near = near_names(quality, has)
    return Undefined(f"the component returned no {quality}{f'; did it mean {near[0]!r}?' if near else ''}")
