"""How did the predictions come out that questions are about? From the store where that still holds, and else read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.batches import NO_ROWS
from engine.joins import ORPHAN_LOOKBACK, Join, Wanted, without_overlaps
from engine.performance import performances
from engine.pieces import Counted
from engine.questions import Question
from engine.readings import Readings
from engine.store import Store
from engine.store.outcomes import OutcomeKey, StoredOutcome
from engine.windows import Window
from signals.segments import EVERYTHING, Segment

__all__ = ["Answers", "answers_to"]

Answers = dict[OutcomeKey, dict[Window, Counted]]
"""By question and bucket."""
Place = tuple[OutcomeKey, Window]
Cutoffs = dict[Window, tuple[datetime | None, ...]]


def answers_to(questions: Sequence[Question], readings: Readings, store: Store | None, *, refresh: bool) -> Answers:
    """What came of each bucket that questions with the same two sides are about, in at most one join.

    A bucket is read when the fingerprint of its predictions or of the truth is not what is stored, or cannot be told;
    when a window needs it at a cutoff that the stored pieces do not tell of; and when it is to be read anew. What is
    stored of a bucket whose predictions are gone altogether stays.

    Raises:
        DataError: when data cannot be read.
    """
    asked = {question.key: question for question in questions}
    cutoffs = _cutoffs(questions)
    kept = _Kept(
        store.load_outcomes(list(asked), list(cutoffs)) if store else {},
        {place: print_ for question in asked.values() for place, print_ in _prints(question, list(cutoffs)).items()},
        _truth_print(questions[0]),
        cutoffs,
    )
    found: Answers = {key: {} for key in asked}
    if not refresh:
        for key, question in asked.items():
            found[key] = {bucket: each for bucket in cutoffs if (each := kept.counted(question, bucket)) is not None}
    missing = {bucket: cutoffs[bucket] for bucket in cutoffs if any(bucket not in own for own in found.values())}
    for share in _shares(missing, questions[0]):
        read = _read(list(asked.values()), share, readings)
        for key, buckets in read.items():
            found[key] |= buckets
        if store:
            store.save_outcomes([kept.to_store(key, *each) for key, own in read.items() for each in own.items()])
    return found


def _shares(missing: Cutoffs, question: Question) -> list[Cutoffs]:
    """What is read in one join: all of it, unless the predictions are told apart by the window that is asked for."""
    if not missing or not question.production.by_window:
        return [missing] if missing else []
    return [{bucket: missing[bucket] for bucket in share} for share in without_overlaps(list(missing))]


@dataclass(frozen=True)
class _Kept:
    """What the store has, and what it would have to be of to hold still."""

    stored: dict[Place, StoredOutcome]
    production: dict[Place, str | None]
    truth: str | None
    cutoffs: Cutoffs

    def counted(self, question: Question, bucket: Window) -> Counted | None:
        """What is known of a bucket without reading it; None where it has to be read."""
        place = question.key, bucket
        production, stored = self.production[place], self.stored.get(place)
        told = stored is not None and all(stored.counted.at(cutoff) is not None for cutoff in self.cutoffs[bucket])
        if production == NO_ROWS and stored is not None and stored.counted.rows and told:
            return replace(stored.counted, vanished=True)
        if production == NO_ROWS and Wanted.ORPHANS not in question.measure.wanted:
            return Counted(0, ())
        if stored is None or production is None or self.truth is None:
            return None
        unchanged = (stored.production, stored.truth) == (production, self.truth)
        return stored.counted if unchanged and told else None

    def to_store(self, key: OutcomeKey, bucket: Window, counted: Counted) -> StoredOutcome:
        return StoredOutcome(key, bucket, counted, self.production[key, bucket], self.truth)


def _cutoffs(questions: Sequence[Question]) -> Cutoffs:
    """By bucket of all windows the cutoffs that its state is needed at, in order."""
    found: dict[Window, set[datetime | None]] = {}
    for question in questions:
        for own in (question.cutoffs, question.earlier_cutoffs):
            for bucket, cutoffs in own.items():
                found.setdefault(bucket, set()).update(cutoffs)
    # Either all of them are None, or none is.
    return {bucket: tuple(sorted(found[bucket], key=lambda each: each or bucket.end)) for bucket in sorted(found)}


def _prints(question: Question, buckets: Sequence[Window]) -> dict[Place, str | None]:
    """The state of the predictions that each bucket's outcome stands on."""
    needed = {bucket: _needed(question, bucket) for bucket in buckets}
    prints = question.production.fingerprints(question.roles, list(needed.values()))
    return {(question.key, bucket): prints[span] for bucket, span in needed.items()}


def _needed(question: Question, bucket: Window) -> Window:
    """The predictions that a bucket needs: whether a label is an orphan earlier ones tell, too."""
    if Wanted.ORPHANS not in question.measure.wanted:
        return bucket
    return Window(bucket.start - ORPHAN_LOOKBACK, bucket.end)


def _truth_print(question: Question) -> str | None:
    return "none" if question.truth is None else question.truth.fingerprint


def _read(questions: Sequence[Question], cutoffs: Cutoffs, readings: Readings) -> Answers:
    """Count these buckets for all questions, in one join."""
    first = questions[0]
    dated = () if first.max_delay is None else tuple(_dated(each) for each in cutoffs.values())
    spans = [_needed(question, bucket) for question in questions for bucket in cutoffs]
    join = Join(
        first.production.within(first.roles, list(dict.fromkeys(spans)), _filtered(questions)),
        first.roles,
        first.truth,
        first.truth_roles,
        tuple(question.measure for question in questions),
        tuple(cutoffs),
        dated,
    )
    counted, cpu_seconds = performances(join)
    sides = [side for side in (join.production, join.truth) if side is not None and side.pieces is not None]
    readings.count(sum(side.count_rows() for side in sides), cpu_seconds)
    return {
        question.key: {bucket: counted[bucket][number] for bucket in cutoffs}
        for number, question in enumerate(questions)
    }


def _dated(cutoffs: Sequence[datetime | None]) -> tuple[datetime, ...]:
    return tuple(cutoff for cutoff in cutoffs if cutoff is not None)


def _filtered(questions: Sequence[Question]) -> list[Segment]:
    """The segments outside of which nothing is needed; none: all rows are."""
    segments = list(dict.fromkeys(question.measure.predicted for question in questions))
    orphans = any(Wanted.ORPHANS in question.measure.wanted for question in questions)
    return [] if orphans or EVERYTHING in segments else segments
