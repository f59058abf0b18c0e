"""Where exactly are the rows that an `input_data` block means?"""

import os
from dataclasses import replace
from pathlib import Path

from engine.definitions.data_keys import InputData
from engine.definitions.library import Library, UnknownNameError
from engine.definitions.mltables import SCHEME, azures_own, mltable_at
from engine.definitions.sentences import Report
from engine.monitor import Source

__all__ = ["is_relative", "source_of"]


def source_of(block: InputData, folder: Path, library: Library, report: Report) -> Source | None:
    """The source, with its path absolute; None after a report.

    Args:
        block: what is written.
        folder: the folder of the file in which it is written; relative paths are relative to it.
        library: where `azureml:` names are looked up.
        report: begins at the block.
    """
    if block.path and (theirs := azures_own(block.path)):
        report.add(("path",), *theirs)
        return None
    if block.path and block.path.startswith("azureml:"):
        return _asset(block, library, report)
    source = _source(block, folder)
    if source.path is None:
        return source
    before = len(report.problems)
    table = mltable_at(source.path, report)
    if table and block.format not in (None, table.format):
        report.add(("format",), f"is {block.format}, and the MLTable there reads {table.format}", "leave it out")
    return replace(source, mltable=table) if len(report.problems) == before else None


def _asset(block: InputData, library: Library, report: Report) -> Source | None:
    try:
        asset = library.asset(block.path or "")
    except UnknownNameError as error:
        report.add(("path",), error.message, error.hint)
        return None
    assert library.asset_file  # an asset was found in it
    if asset.path and asset.path.startswith("azureml:") and not azures_own(asset.path):
        report.add(("path",), f"the asset {block.path} leads to another name, {asset.path}", "give its path there")
        return None
    # What is written here about the data wins over what the asset says of it.
    merged = asset.model_copy(
        update={
            "type": asset.type or block.type,
            "format": block.format or asset.format,
            "options": {**asset.options, **block.options},
            "partitions": {**asset.partitions, **block.partitions},
            "append_only": asset.append_only if block.append_only is None else block.append_only,
            "joined_within": block.joined_within or asset.joined_within,
        }
    )
    return source_of(merged, library.asset_file.document.folder, library, report)


def is_relative(path: str) -> bool:
    """Whether a path is one of this machine, relative to the file in which it is written."""
    return not (path.startswith("azureml:") or SCHEME.match(path) or Path(path).is_absolute())


def _source(block: InputData, folder: Path) -> Source:
    return Source(
        path=_path(block.path, folder) if block.path else None,
        table=block.table,
        query=block.query,
        format=block.format,
        options=dict(block.options),
        partitions=dict(block.partitions),
        append_only=bool(block.append_only),
        joined_within=block.joined_within,
        type=block.type,
    )


def _path(path: str, folder: Path) -> str:
    return path if SCHEME.match(path) else os.path.normpath(folder / path)
