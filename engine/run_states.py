"""Of which predictions and labels did an earlier run tell? Its record says so in a few letters for each signal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from functools import reduce
from hashlib import blake2b
from operator import add

from engine.pieces import DIGITS, Performance
from engine.questions import Question
from engine.store import Store
from engine.windows import Window
from signals.coverage import Coverage

__all__ = ["is_news", "name_of", "same_question", "state_text", "states_of_runs"]


def name_of(signal: str) -> str:
    """Under which name a run's record has the state of a signal, among the fingerprints of what was read."""
    return f"outcomes of {signal}"


def state_text(question: Question, window: Window, states: Iterable[Performance]) -> str:
    """Text that is equal only where the same is asked, and predictions and labels that count are the same.

    It tells how many predictions there were, and how many of them had a label.
    """
    known = list(states)
    coverage = reduce(add, [each.coverage for each in known], Coverage.empty())
    digest = sum(each.digest for each in known) % DIGITS
    counting = replace(coverage, late=0)  # a label that came too late changes nothing
    what = _short(digest, astuple(counting))
    return f"{_asked(question, window)}:{coverage.rows}:{coverage.labelled}:{what}"


def same_question(text: str, question: Question, window: Window) -> bool:
    """Whether a state is of this question: after a change of the definition old runs stay as they are."""
    return text.startswith(f"{_asked(question, window)}:")


def is_news(before: str, after: str) -> bool:
    """Whether of two states of one question the second says something else, and has lost nothing.

    Raw data that are deleted after a while take predictions and labels away; what was found while they were there
    stays as it is.
    """
    rows, labelled = ((int(before.split(":")[place]), int(after.split(":")[place])) for place in (1, 2))
    return before != after and rows[0] <= rows[1] and labelled[0] <= labelled[1]


def states_of_runs(store: Store, monitor: str, times: Sequence[datetime]) -> dict[datetime, Mapping[str, str]]:
    """What the completed runs of these scheduled times have on record, by time."""
    if not times:
        return {}
    columns = ("scheduled_for", "fingerprints")
    until = max(times) + timedelta(microseconds=1)
    runs = store.read_runs(monitor=monitor, start=min(times), end=until, status="completed", columns=columns)
    found = {row["scheduled_for"]: json.loads(row["fingerprints"]) for row in runs.to_pylist()}
    return {time: found[time] for time in times if time in found}


def _asked(question: Question, window: Window) -> str:
    return _short(question.key, question.max_delay, window)


def _short(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()
