"""The live files of a Delta table, through `deltalake`, without a jar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
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


def live_files(path: str, options: Mapping[str, str]) -> LiveFiles:
    """The table's live files with what its log says of them, its version as a fingerprint, and its columns.

    Raises:
        DataError: when there is no table, or it uses a feature that plain Parquet reading would get wrong.
    """
    try:
        table = DeltaTable(path, storage_options=dict(options) or None)
        _check(path, table)
        actions: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=False)).to_pylist()
        schema = pa.schema(table.schema())
    except (DeltaError, OSError, ValueError) as error:
        raise DataError(f"cannot read the Delta table {path}: {error}") from error
    root = unquote(table.table_uri.removeprefix("file://").rstrip("/"))
    files = sorted((_file(root, action) for action in actions), key=lambda file: file.path)
    return LiveFiles(tuple(files), f"delta:{table.version()}", dict(zip(schema.names, schema.types, strict=True)))


def _file(root: str, action: Mapping[str, Any]) -> DataFile:
    partitions = {
        name: None if value is None else str(value) for name, value in (action.get("partition") or {}).items()
    }
    low, high = action.get("min") or {}, action.get("max") or {}
    bounds = {name: (low[name], high[name]) for name in low if high.get(name) is not None and low[name] is not None}
    return DataFile(f"{root}/{unquote(action['path'])}", partitions, action["size_bytes"], bounds=bounds)


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
