"""How much do the features of a baseline matter? Worked out once, and kept while its data stay as they are."""

from collections.abc import Sequence

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

__all__ = ["baseline_importances", "rank"]


def baseline_importances(
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


def rank(found: Sequence[Comparison], readings: Readings, store: Store | None, *, refresh: bool = False) -> None:
    """Give signals that want to know how much their features matter, each with a baseline whose target is known.

    Where that cannot be told, a signal that only watches the most important features is in trouble, unless it has no
    more than it would watch anyway; for another it is a note.
    """
    answered: dict[str, dict[Window | None, Answer] | DataError] = {}
    for each in found:
        if each.trouble is None and each.plan.signal.features.importance:
            _rank(each, answered, readings, store, refresh=refresh)


def _rank(
    found: Comparison,
    answered: dict[str, dict[Window | None, Answer] | DataError],
    readings: Readings,
    store: Store | None,
    *,
    refresh: bool,
) -> None:
    signal, windows = found.plan.signal, found.plan.distinct_baselines
    try:
        if found.reference is None:
            raise DataError("there is no baseline")
        asked = _request(found, found.reference)
        key = repr((found.reference.place, asked.question, windows))
        if key not in answered:
            answered[key] = _answer(asked, windows, found.reference, readings, store, refresh=refresh)
        answers = answered[key]
        if isinstance(answers, DataError):
            raise answers
        reasons = [each.found.reason for each in answers.values() if isinstance(each.found, Undefined)]
        if reasons:
            raise DataError(f"{found.reference.dataset.title}: {reasons[0]}")
    except DataError as error:
        told = f"no feature's importance is known: {error}"
        most = signal.features.top_n_importance
        if most is not None and len(found.watched) > most:
            found.trouble = readings.failed(DataError(told))
        else:
            readings.note(f"{signal.name}: {told}", found.production.dataset.title if found.production else "")
        return
    known = {window: each.found for window, each in answers.items() if isinstance(each.found, Importances)}
    found.importances = known
    if signal.features.top_n_importance is not None:
        wanted = {name for each in known.values() for name in each.top(signal.features.top_n_importance)}
        found.watched = [each for each in found.watched if each.group in wanted]


def _answer(
    asked: ImportanceRequest,
    windows: Sequence[Window | None],
    side: Side,
    readings: Readings,
    store: Store | None,
    *,
    refresh: bool,
) -> dict[Window | None, Answer] | DataError:
    try:
        return baseline_importances(asked, windows, side.key, readings, store, refresh=refresh)
    except DataError as error:
        return error


def _request(found: Comparison, side: Side) -> ImportanceRequest:
    """All features of the baseline, watched or not: a feature's importance is its share of all of it."""
    columns = side.dataset.columns
    names = {name for name in columns if name not in found.roles}
    override = found.plan.signal.features.type_override
    target = target_of(side.roles)
    if target is None and not side.roles.attributions:
        raise DataError("name the baseline's target in reference_data.data_column_names.target_column")
    features = feature_columns(columns, names, override)
    return ImportanceRequest(side.dataset, side.roles, features, target, found.plan.monitor.ml_task, side.segment)
