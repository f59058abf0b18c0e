"""Token statistics: what requests logged, added up by window and group in one Spark job."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import functions as F

from engine.answered import Answered
from engine.batches import Batch, Batches, Work
from engine.errors import DataError
from engine.measured import DATASET, Measured
from engine.monitor import MetricRequest
from engine.plain import read_plain
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import require
from engine.scanning import buckets_of, span_of
from engine.spark import collect
from engine.store import Store
from engine.windows import Window
from signals.catalogue import near_names
from signals.keys import Buckets
from signals.measurement import Undefined
from signals.metrics import METRICS
from signals.timestamps import TimeFormat, read_instants
from signals.tokens import Tokens

__all__ = ["answer_token_statistics"]

PER_GROUP = "total_token_count_per_group"
MOST_GROUPS = 1_000
"""The groups that took the most tokens have rows; a group is a model, and not a user."""
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("prompt_tokens", "prompt_count", "input_tokens", "llm.token_count.prompt"),
    "completion_tokens": ("completion_tokens", "completion_count", "output_tokens", "llm.token_count.completion"),
    "total_tokens": ("total_tokens", "total_count", "llm.token_count.total"),
    "group": ("model", "llm.model"),
}
COUNTS = ("requests", "prompts", "prompt", "completions", "completion", "totals", "total")
SUMS = pa.schema([("bucket", pa.int64()), ("of", pa.string()), *((name, pa.int64()) for name in COUNTS)])
NO_GROUP = "null"

ByGroup = dict[str, Tokens]
Counts = npt.NDArray[np.int64]


def answer_token_statistics(
    plans: Sequence[SignalPlan], readings: Readings, store: Store | None, *, refresh: bool
) -> list[Answered]:
    """Add up what each signal's requests logged; all its windows are one scan, and nothing of it is kept."""
    del store, refresh
    for plan in plans:
        readings.expect(plan.signal.production, span_of(plan.distinct_windows))
    return [_answered(plan, readings) for plan in plans]


def _answered(plan: SignalPlan, readings: Readings) -> Answered:
    try:
        columns, found = _counted(plan, readings)
    except DataError as error:
        return Answered(plan, trouble=readings.failed(error))
    return Answered(plan, {time: _measured(plan, time, columns, found) for time in plan.windows})


def _counted(plan: SignalPlan, readings: Readings) -> tuple[dict[str, str], dict[Window, ByGroup]]:
    """The columns by role, and each window's counts by group."""
    windows = plan.distinct_windows
    dataset, roles = readings.opened(plan.signal.production, span_of(windows))
    timestamp = require(dataset.title, "timestamp", roles.timestamp, dataset.columns)
    columns = _columns(plan, dataset.title, dataset.columns)
    for role in sorted(columns.keys() - _declared(plan).keys()):
        readings.note(f"{dataset.title}: found {columns[role]!r} to be the {role}", dataset.title)
    buckets, members = buckets_of(windows)
    names = tuple(dict.fromkeys((timestamp, *columns.values())))
    sums = dataset.within(roles, windows).map(_adding(timestamp, roles.timestamp_format, buckets, columns), names, SUMS)
    merged = sums.groupBy("bucket", "of").agg(*(F.sum(name).alias(name) for name in COUNTS))
    by_bucket: dict[int, ByGroup] = {}
    for row in collect(merged).to_pylist():
        by_bucket.setdefault(row["bucket"], {})[row["of"]] = Tokens(*(row[name] for name in COUNTS))
    readings.count(sum(tokens.requests for groups in by_bucket.values() for tokens in groups.values()), 0.0)
    return columns, {window: _added([by_bucket.get(each, {}) for each in members[window]]) for window in windows}


def _added(parts: Sequence[ByGroup]) -> ByGroup:
    found: ByGroup = {}
    for part in parts:
        for group, tokens in part.items():
            found[group] = found.get(group, Tokens.empty()) + tokens
    return found


# ---------------------------------------------------------------------------------------------------- the columns


def _declared(plan: SignalPlan) -> Mapping[str, str]:
    return plan.signal.generation.columns if plan.signal.generation else {}


def _columns(plan: SignalPlan, title: str, has: Mapping[str, pa.DataType]) -> dict[str, str]:
    """By role the column: as declared, or else by its usual name.

    Raises:
        DataError: a declared column is not there, or nothing tells how many tokens a request had.
    """
    found = dict(_declared(plan))
    for role, name in found.items():
        require(title, role, name, has)
    for role, names in USUAL_NAMES.items():
        usual = next((name for name in names if name in has), None)
        if role not in found and usual:
            found[role] = usual
    if not found.keys() - {"group"}:
        near = near_names("prompt_tokens", [*has])
        hint = f"; is it {near[0]!r}?" if near else f"; it has {', '.join(has)}"
        raise DataError(f"{title} tells no token counts: name data_column_names.prompt_tokens, completion_tokens{hint}")
    return found


# --------------------------------------------------------------------------------------------------- in the tasks


def _adding(timestamp: str, form: TimeFormat, buckets: Buckets, columns: Mapping[str, str]) -> Work:
    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        found: dict[tuple[int, str], Counts] = {}
        for batch in batches:
            moments = batch.arrays.get(timestamp)
            if moments is None:
                continue
            bucket = buckets.of(read_instants(moments, form))
            groups = _groups(batch, columns.get("group"))
            keys = bucket * len(groups.dictionary) + groups.indices.to_numpy(zero_copy_only=False)
            kept = bucket >= 0
            slots, place = np.unique(keys[kept], return_inverse=True)
            sums = np.zeros((len(slots), len(COUNTS)), np.int64)
            np.add.at(sums, place, _counts(batch, columns)[kept])
            for slot, row in zip(slots.tolist(), sums, strict=True):
                key = (slot // len(groups.dictionary), groups.dictionary[slot % len(groups.dictionary)].as_py())
                found[key] = found[key] + row if key in found else row
        rows = [dict(zip(SUMS.names, (*key, *row.tolist()), strict=True)) for key, row in found.items()]
        yield pa.RecordBatch.from_pylist(rows, schema=SUMS)

    return work


def _groups(batch: Batch, name: str | None) -> pa.DictionaryArray:
    texts = read_plain(batch.arrays.get(name or ""), pa.string(), batch.size)
    return texts.fill_null(NO_GROUP).dictionary_encode()


def _counts(batch: Batch, columns: Mapping[str, str]) -> Counts:
    """int64[size, counts]: what each row adds. A count that is null, negative or no whole number was not logged."""
    prompt, prompts = _logged(batch, columns.get("prompt_tokens"))
    completion, completions = _logged(batch, columns.get("completion_tokens"))
    total, totals = _logged(batch, columns.get("total_tokens"))
    total = np.where(totals, total, prompt + completion)
    ones = np.ones(batch.size, np.int64)
    return np.column_stack(
        [ones, prompts, prompt, completions, completion, totals | prompts | completions, total]
    ).astype(np.int64)


def _logged(batch: Batch, name: str | None) -> tuple[Counts, npt.NDArray[np.bool_]]:
    read = read_plain(batch.arrays.get(name or ""), pa.int64(), batch.size)
    values = read.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(values >= 0, values, 0), values >= 0


# ----------------------------------------------------------------------------------------------------- the answers


def _measured(
    plan: SignalPlan, time: datetime, columns: Mapping[str, str], found: Mapping[Window, ByGroup]
) -> list[Measured]:
    groups = found[plan.windows[time]]
    tokens = sum(groups.values(), Tokens.empty())
    answers: list[Measured] = []
    for request in plan.signal.metrics:
        if request.metric == PER_GROUP:
            answers += _of_groups(request, groups, "group" in columns)
        else:
            answers.append(Measured(DATASET, request, METRICS[request.metric].compute(tokens), tokens.requests))
    return answers


def _of_groups(request: MetricRequest, groups: ByGroup, grouped: bool) -> Iterator[Measured]:
    if not grouped:
        if request.threshold is not None:
            yield Measured(DATASET, request, Undefined("nothing tells the group: name data_column_names.group"))
        return
    largest = sorted(groups.items(), key=lambda each: (-each[1].total, each[0]))
    for group, tokens in largest[:MOST_GROUPS]:
        left = len(largest) - MOST_GROUPS
        remark = f"{left:,} groups that took less have no row" if left > 0 else None
        result: Any = METRICS[request.metric].compute(tokens)
        yield Measured(group, request, result, tokens.requests, remark=remark)
    if not largest:
        yield Measured(DATASET, request, METRICS[request.metric].compute(Tokens.empty()), 0)
