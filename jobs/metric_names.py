"""What is a metric called in the store, however it is spelt by who asks, and which way is it bad?"""

__all__ = ["canonical", "is_bad_when_low"]


def canonical(name: str) -> str:
    """The canonical name of a metric's name or alias; any other name as it is.

    It imports the whole catalogue, and scipy with it: ask only where the name as it was given is unknown.
    """
    import signals.metrics  # noqa: F401  # pyright: ignore[reportUnusedImport] - it fills the catalogue
    from signals.catalogue import find_metric

    found = find_metric(name)
    return found.name if found else name


def is_bad_when_low(name: str) -> bool:
    """Whether low values of a metric are bad; not of one that is in no catalogue. It imports all of it, too."""
    from signals.catalogue import Bad
    from signals.metrics import METRICS

    return name in METRICS and METRICS[name].bad is Bad.LOWER
