"""What is a metric called in the store? Its canonical name, however it is spelt by who asks."""

__all__ = ["canonical"]


def canonical(name: str) -> str:
    """The canonical name of a metric's name or alias; any other name as it is.

    It imports the whole catalogue, and scipy with it: ask only where the name as it was given is unknown.
    """
    import signals.metrics  # noqa: F401  # pyright: ignore[reportUnusedImport] - it fills the catalogue
    from signals.catalogue import find_metric

    found = find_metric(name)
    return found.name if found else name
