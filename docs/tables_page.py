"""What `docs/tables.md` says: every table and column, from the schemas that the store writes by."""

import pyarrow as pa

from engine.tables import TABLES, TableDefinition

__all__ = ["page"]

INTRODUCTION = """\
# The tables

Everything that driftline finds is in Delta tables under one URI, the store. They are written in one commit each, so
a reader sees all of a run or nothing of it, and any reader of Delta will do:

```python
import deltalake, duckdb

metrics = deltalake.DeltaTable("store/signal_metrics")
metrics.to_pandas(filters=[("monitor", "=", "flights"), ("status", "=", "breached")])

duckdb.sql("SELECT * FROM delta_scan('store/signal_metrics') WHERE breached")
```

```python
spark.read.format("delta").load("store/signal_metrics")  # with the package io.delta:delta-spark
```

* A run is a monitor and the time that it was scheduled for. Running it again replaces its rows, also when the first
  attempt was killed half-way, and also when two machines do it at once.
* `signal_metrics` is committed before `runs`: a run that is in `runs` is complete.
* NaN and infinity are never in `signal_metrics`. A metric without a value is NULL, and `reason` says why.
* All times are UTC with microseconds.
"""

TYPES = {"string": "string", "int64": "long", "int32": "integer", "double": "double", "bool": "boolean"}


def page() -> str:
    """The page, in Markdown."""
    return "\n".join([INTRODUCTION, *map(_section, TABLES)])


def _section(table: TableDefinition) -> str:
    rows = [
        f"| `{field.name}` | {_type(field.type)}{'' if field.nullable else ', required'} | {_comment(field)} |"
        for field in table.schema
    ]
    folders = f" In folders by {_names(table.partition_by)}." if table.partition_by else ""
    return "\n".join(
        [
            f"## {table.name}",
            "",
            f"{table.summary} Writing replaces what has the same {_names(table.key)}.{folders}",
            "",
            "| column | type | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _comment(field: pa.Field) -> str:
    return field.metadata[b"comment"].decode().replace("|", "\\|")


def _type(kind: pa.DataType) -> str:
    """The type by the name that Delta has for it."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_list(kind):
        return f"array of {_type(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "(" + ", ".join(f"{each.name} {_type(each.type)}" for each in kind) + ")"
    return TYPES.get(str(kind), str(kind))
