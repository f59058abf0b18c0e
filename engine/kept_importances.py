"""How much do the features of a baseline matter? Worked out once, and kept while its data stay as they are."""

from collections.abc import Mapping, Sequence

from engine.batches import NO_ROWS
from engine.errors import DataError
from engine.importances import Answer, ImportanceRequest, feature_columns, importances_of
from engine.profiling import UNKNOWN, ProfiledData
from engine.readings import Readings
from engine.roles import target_of
from engine.sides import Comparison, Side
from engine.store import Store
from engine.store.importances import StoredImportances
from engine.windows import Window
from signals.importances import Importances
from signals.measurement import Undefined

__all__ = ["kept_importances", "weigh"]

Answers = Mapping[Window | None, Answer]


def kept_importances(
    asked: ImportanceRequest,
    windows: Sequence[Window | None],
    key: str,
    readings: Readings,
    store: Store | None,
    *,
    refresh: bool = False,
) -> dict[Window | None, Answer]:
    """The features' importance in each window of a baseline; see `engine.importances.importances_of`.

    Args:
        asked: of which baseline.
        windows: of it; the only one None: all rows.
        key: under which its profiles are kept, too.
        readings: as there.
        store: where they are kept; None keeps nothing.
        refresh: work out again what is kept.

    Raises:
        DataError: as there.
    """
    prints = ProfiledData(asked.dataset, asked.roles, key).fingerprints(windows)
    held = store.load_importances(key, asked.question, windows) if store and not refresh else {}
    # Of a window whose data are gone, what is kept stands in, as everywhere.
    kept = {window: each for window, each in held.items() if prints[window] in (each.fingerprint, NO_ROWS)}
    found = {window: Answer(each.found) for window, each in kept.items()}
    missing = [window for window in windows if window not in kept]
    for window, answer in importances_of(asked, missing, readings).items() if missing else ():
        found[window] = answer
        if store and isinstance(answer.found, Importances):
            print_ = prints[window] or UNKNOWN
            title, name = asked.dataset.title, asked.segment.name
            store.save_importances(StoredImportances(key, title, asked.question, window, name, answer.found, print_))
    return found


def weigh(found: Sequence[Comparison], readings: Readings, store: Store | None, *, refresh: bool = False) -> None:
    """Tell signals that want to know how much their features matter.

    Where that cannot be told, a signal that only watches the most important features is in trouble, unless it has no
    more than it would watch anyway; for another it is a note.
    """
    answered: dict[str, Answers | DataError] = {}
    for each in found:
        if each.trouble is None and each.plan.signal.features.importance:
            try:
                each.importances = _importances(each, answered, readings, store, refresh=refresh)
                each.watched = each.most_important(*each.importances.values())
            except DataError as error:
                _tell(each, f"no feature's importance is known: {error}", readings)


def _tell(found: Comparison, why: str, readings: Readings) -> None:
    signal, most = found.plan.signal, found.plan.signal.features.top_n_importance
    if most is not None and len(found.watched) > most:
        found.trouble = readings.failed(DataError(why))
    else:
        readings.note(f"{signal.name}: {why}", found.production.dataset.title if found.production else "")


def _importances(
    found: Comparison,
    answered: dict[str, Answers | DataError],
    readings: Readings,
    store: Store | None,
    *,
    refresh: bool,
) -> dict[Window | None, Importances]:
    """By window of the baseline what is known of it; signals that ask the same share the answer, or the error."""
    side, windows = found.reference, found.plan.distinct_baselines
    if side is None:
        raise DataError("there is no baseline")
    asked = _request(found, side)
    key = repr((side.place, asked.question, windows))
    if key not in answered:
        try:
            answered[key] = kept_importances(asked, windows, side.key, readings, store, refresh=refresh)
        except DataError as error:
            answered[key] = error
    answers = answered[key]
    if isinstance(answers, DataError):
        raise answers
    told = {window: each.found for window, each in answers.items() if isinstance(each.found, Importances)}
    known = {window: each for window, each in told.items() if any(each.shares.values())}
    if not known:
        reasons = [each.found.reason for each in answers.values() if isinstance(each.found, Undefined)]
        nothing = f"no feature explains anything of the target {asked.target!r}"
        raise DataError(f"{side.dataset.title}: {reasons[0] if reasons else nothing}")
    return known


def _request(found: Comparison, side: Side) -> ImportanceRequest:
    """All features that both sides have, watched or not: a feature's importance is its share of all of it.

    What only the training data have, such as what the model said of them, is nothing that the model could see.
    """
    columns, now = side.dataset.columns, found.production.dataset.columns if found.production else {}
    names = {name for name in columns if name in now and name not in found.roles}
    override = found.plan.signal.features.type_override
    target = target_of(side.roles)
    if target is None and not side.roles.attributions:
        raise DataError("name the baseline's target in reference_data.data_column_names.target_column")
    features = feature_columns(columns, names, override)
    return ImportanceRequest(side.dataset, side.roles, features, target, found.plan.monitor.ml_task, side.segment)
