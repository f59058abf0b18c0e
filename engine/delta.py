"""The live files of a Delta table, through `deltalake`, without a jar."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from engine.errors import DataError
from engine.files import DataFile

__all__ = ["LiveFiles", "live_files"]

READABLE = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "appendOnly", "invariants", "checkConstraints"}
"""Reader features that leave the live Parquet files as plain as they look."""

ADVICE = {
    "deletionVectors": "its deleted rows are still in its files; run REORG TABLE … APPLY (PURGE) and drop the feature",
    "columnMapping": "its files name columns otherwise than the table",
}


@dataclass(frozen=True)
class LiveFiles:
    """What makes up a dataset now.

    Attributes:
        files: by path.
        fingerprint: text that changes when they do.
        columns: as the table declares them; None where the files themselves tell.
    """

    files: tuple[DataFile, ...]
    fingerprint: str
    columns: Mapping[str, pa.DataType] | None = None


def live_files(path: str, options: Mapping[str, str], root: str) -> LiveFiles:
    """The table's live files with what its log says of them, its version as a fingerprint, and its columns.

    Args:
        path: the table's path or URI.
        options: storage options.
        root: its folder, as the file system in which the files are read names it.

    Raises:
        DataError: when there is no table, or it uses a feature that plain Parquet reading would get wrong.
    """
    try:
        table = DeltaTable(path, storage_options=dict(options) or None)
        _check(path, table)
        actions = pa.table(table.get_add_actions(flatten=False))
        schema = pa.schema(table.schema())
    except (DeltaError, OSError, ValueError) as error:
        raise DataError(f"cannot read the Delta table {path}: {error}") from error
    files = sorted(_files(actions, root.rstrip("/")), key=lambda file: file.path)
    return LiveFiles(tuple(files), f"delta:{table.version()}", dict(zip(schema.names, schema.types, strict=True)))


def _files(actions: pa.Table, root: str) -> Iterator[DataFile]:
    low, high = _bounds(actions, "min"), _bounds(actions, "max")
    told = actions.select([name for name in ("path", "size_bytes", "partition") if name in actions.column_names])
    for place, action in enumerate(told.to_pylist()):
        values = (action.get("partition") or {}).items()
        partitions = {name: None if value is None else str(value) for name, value in values}
        both = {name: (low[name][place], high[name][place]) for name in low.keys() & high.keys()}
        bounds = {name: pair for name, pair in both.items() if None not in pair}
        yield DataFile(f"{root}/{unquote(action['path'])}", partitions, action["size_bytes"], bounds=bounds)


def _bounds(actions: pa.Table, which: str) -> dict[str, list[Any]]:
    """The log's least or greatest values, by column, of columns that may tell the time."""
    if which not in actions.column_names or not pa.types.is_struct(actions[which].type):
        return {}
    kinds = {field.name: field.type for field in actions[which].type}
    timely = [name for name, kind in kinds.items() if pa.types.is_temporal(kind) or pa.types.is_integer(kind)]
    return {name: pc.struct_field(actions[which], [name]).to_pylist() for name in timely}


def _check(path: str, table: DeltaTable) -> None:
    protocol, configuration = table.protocol(), table.metadata().configuration
    used = set(protocol.reader_features or ())
    if configuration.get("delta.columnMapping.mode", "none") != "none":
        used.add("columnMapping")
    for feature in sorted(used - READABLE):
        if feature == "columnMapping" and configuration.get("delta.columnMapping.mode", "none") == "none":
            continue
        why = ADVICE.get(feature, "driftline does not know it")
        raise DataError(
            f"{path}: the Delta table uses the feature {feature}: {why}; or give it as `table:` of a Spark with Delta"
        )
