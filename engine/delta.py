"""The live files of a Delta table, through `deltalake`, without a jar."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from engine.errors import DataError
from engine.files import DataFile

__all__ = ["live_files"]

READABLE = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "appendOnly", "invariants", "checkConstraints"}
"""Reader features that leave the live Parquet files as plain as they look."""

ADVICE = {
    "deletionVectors": "its deleted rows are still in its files; run REORG TABLE … APPLY (PURGE) and drop the feature",
    "columnMapping": "its files name columns otherwise than the table",
}


def live_files(path: str, options: Mapping[str, str]) -> tuple[list[DataFile], str, pa.Schema]:
    """The table's live files with their partition values, its version as a fingerprint, and its columns.

    Raises:
        DataError: when there is no table, or it uses a feature that plain Parquet reading would get wrong.
    """
    try:
        table = DeltaTable(path, storage_options=dict(options) or None)
        _check(path, table)
        actions: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=False)).to_pylist()
    except (DeltaError, OSError, ValueError) as error:
        raise DataError(f"cannot read the Delta table {path}: {error}") from error
    root = table.table_uri.removeprefix("file://").rstrip("/")
    files = [
        DataFile(
            f"{unquote(root)}/{unquote(action['path'])}",
            {name: None if value is None else str(value) for name, value in (action.get("partition") or {}).items()},
            action["size_bytes"],
        )
        for action in actions
    ]
    return sorted(files, key=lambda file: file.path), f"delta:{table.version()}", pa.schema(table.schema())


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
