"""Is there an `MLTable` file at a path, and what does it say?"""

import glob
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

from pydantic import ValidationError

from engine.definitions.document import Document, read_document
from engine.definitions.mltable_keys import MLTableFile, PathKeys, ReadDelimited, Reading
from engine.definitions.sentences import Report, problems_of
from engine.errors import Problem
from engine.mltable import DEFINITION, MLTable, TablePath

__all__ = ["SCHEME", "azures_own", "mltable_at"]

SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")


def mltable_at(path: str, report: Report) -> MLTable | None:
    """The table that is defined at a local path: a folder that holds a file `MLTable`, or that file.

    None where there is none, where the path is not a local one, and after a report of what is wrong in the file.
    """
    file = _definition(path)
    if file is None:
        return None
    absolute = Path(report.document.file).is_absolute()
    document = read_document(file, str(file) if absolute else os.path.relpath(file))
    table, problems = _read(document)
    report.problems.extend(problems)
    return table


def _definition(path: str) -> Path | None:
    local = unquote(urlparse(path).path) if path.startswith("file:") else path
    if SCHEME.match(local):
        return None
    if Path(local).name == DEFINITION and Path(local).is_file():
        return Path(local)
    inside = Path(local, DEFINITION)
    return inside if inside.is_file() else None


def _read(document: Document) -> tuple[MLTable | None, list[Problem]]:
    problems = [*document.problems]
    if document.data is None:
        return None, problems
    try:
        written = MLTableFile.model_validate(document.data)
    except ValidationError as error:
        return None, [*problems, *problems_of(error, document)]
    report = Report(document)
    report.problems.extend(problems)
    paths = [_path(each, document.folder, report.at("paths", place)) for place, each in enumerate(written.paths)]
    return (None if report.problems else _table(written, tuple(path for path in paths if path))), report.problems


def _table(written: MLTableFile, paths: tuple[TablePath, ...]) -> MLTable:
    reading = next(step.reading for step in written.transformations if step.reading is not None)
    said = written.model_dump(mode="json", exclude_unset=True, exclude={"schema_", "type", "traits", "metadata"})
    table = {
        "paths": paths,
        "format": reading.format,
        "options": reading.options,
        "path_column": reading.include_path_column,
        "steps": tuple(step for each in written.transformations for step in each.steps),
        "said": json.dumps(said, sort_keys=True),
    }
    return MLTable(**table, **_delimited(reading))  # type: ignore[arg-type]


def _delimited(reading: Reading) -> dict[str, object]:
    if not isinstance(reading, ReadDelimited):
        return {}
    return {
        "header": reading.header,
        "infer_types": reading.infer_column_types,
        "empty_as_text": reading.empty_as_string,
    }


def _path(written: PathKeys, folder: Path, report: Report) -> TablePath | None:
    kind, text = written.said
    if theirs := azures_own(text):
        report.add((kind,), *theirs)
        return None
    if SCHEME.match(text):
        return TablePath(kind, text)
    base = glob.escape(str(folder)) if kind == "pattern" else str(folder)
    return TablePath(kind, os.path.normpath(os.path.join(base, text)))  # noqa: PTH118 - Path would take file:… apart


def azures_own(path: str) -> tuple[str, str] | None:
    """What is wrong with an address that only Azure knows, and what to do; None for any other."""
    if not path.startswith("azureml:/"):
        return None
    named = re.search(r"/data/([^/]+)/versions/([^/]+)", path)
    if named:
        hint = f"write azureml:{named[1]}:{named[2]}, and say in assets.yaml where it is"
        return f"{path!r} is the id of an asset in Azure", hint
    hint = "give the storage's own address (abfss://…, wasbs://…, s3://…, a path), here or in assets.yaml"
    return f"{path!r} is an address in Azure's datastores, which driftline does not know", hint
