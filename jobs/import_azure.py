"""`driftline import azure`: schedules of Azure's as tidy files, with what was understood of each line."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.text import Text

from engine.definitions.assembly import assemble
from engine.definitions.document import Document, Key, read_document
from engine.definitions.library import Library, library_root, read_library
from engine.definitions.monitor_keys import Schedule
from engine.definitions.sentences import problems_of
from engine.definitions.sources import is_relative
from engine.definitions.tidy import keys_of, tidy
from engine.errors import DefinitionError, Problem
from engine.wording import plural
from jobs.azure_names import COMPONENTS, Needs, needs_of, shortened
from jobs.azure_report import LEFT_OUT, Line, lines_of, report_table
from jobs.consoles import err, out
from jobs.exits import show_problems
from jobs.tidy_yaml import yaml_text
from jobs.yaml_comments import Comment, comments_of

__all__ = ["import_schedules"]

USUAL = Path("conf/monitors")
"""Where a file is thought to be put that is only printed."""
NAMES = frozenset({"path", *COMPONENTS, "model_id", "endpoint_deployment_id"})
"""Keys whose values may stand for nothing yet."""


@dataclass(frozen=True)
class Imported:
    """One schedule.

    Attributes:
        source: its file, as the user named it.
        name: the monitor's name; None where it could not be read.
        text: the tidy file; None where there are problems.
        lines: what was understood of each line.
        needs: what it names and nothing stands for yet.
        problems: why it cannot be taken.
    """

    source: str
    name: str | None = None
    text: str | None = None
    lines: Sequence[Line] = ()
    needs: Needs = field(default_factory=Needs)
    problems: Sequence[Problem] = ()


def import_schedules(files: Sequence[Path], folder: Path | None, *, force: bool, as_json: bool) -> int:
    """Turn schedules into tidy files, and say line by line what was understood.

    Args:
        files: schedules as `az ml schedule create -f` takes them, or as the SDK dumps them.
        folder: where the files go; None prints them, and the report goes to stderr.
        force: overwrite files that are there.
        as_json: one JSON document on stdout instead.

    Returns:
        The exit code: 2 where a schedule has problems, and then nothing of it is written.

    Raises:
        DefinitionError: what names are looked up in is wrong.
    """
    target = folder or USUAL
    library = _library(target)
    if library.problems:
        raise DefinitionError(library.problems)
    found = [_imported(file, target, library) for file in files]
    if folder:
        found = _kept(found, folder, force=force)
    if as_json:
        out().file.write(json.dumps({"schedules": [_document(each) for each in found]}, ensure_ascii=False, indent=2))
        out().file.write("\n")
    else:
        _show(found, folder, library)
    return DefinitionError.exit_code if any(each.problems for each in found) else 0


def _library(target: Path) -> Library:
    """What names in a file of that folder are looked up in."""
    folder = Path(os.path.normpath(target.absolute()))
    root = library_root(folder)
    if root == folder and folder.name == "monitors":
        root = folder.parent
    return read_library(root, os.path.relpath)


def _imported(file: Path, target: Path, library: Library) -> Imported:
    document = read_document(Path(os.path.normpath(file.absolute())), str(file))
    problems = list(document.problems) or _misplaced(document)
    if problems:
        return Imported(str(file), problems=problems)
    document = replace(document, data=shortened(document.data))
    try:
        schedule = Schedule.model_validate(document.data)
    except ValidationError as error:
        besides = [problem for problem in assemble(document, library, None)[1] if not _is_name(problem)]
        return Imported(str(file), problems=sorted({*problems_of(error, document), *besides}))
    lines, plain = lines_of(document, schedule), _moved(tidy(schedule), document.folder, target.absolute())
    needs = needs_of(plain, library)
    problems = [problem for problem in assemble(document, library, None)[1] if not (needs and _is_name(problem))]
    if problems:
        return Imported(str(file), schedule.name, lines=lines, problems=problems)
    comments = _comments(document, schedule)
    heading = f"yaml-language-server: $schema={os.path.relpath(_root(library) / 'schema.json', target.absolute())}"
    return Imported(str(file), schedule.name, yaml_text(plain, heading, comments), lines, needs)


def _comments(document: Document, schedule: Schedule) -> dict[Key, Comment]:
    """What the source says of its keys, by their canonical names; items of lists keep their places."""
    said = comments_of(document.text, document)
    names: dict[Key, Key] = {(): ()}
    for each in keys_of(schedule, document.data):
        names[each.key] = each.canonical
        if len(each.canonical) < len(each.key):  # what is said of the only item of a list is said of its first key
            names.setdefault(each.key[:-1], each.canonical)
    own = {key: next((key[:length] for length in range(len(key), 0, -1) if key[:length] in names), ()) for key in said}
    return {(*names[own[key]], *key[len(own[key]) :]): comment for key, comment in said.items()}


def _is_name(problem: Problem) -> bool:
    """Whether the trouble is with what a name stands for: then a snippet says what to add."""
    return problem.key.rsplit(".", 1)[-1] in NAMES and "azureml:/" not in problem.message


def _root(library: Library) -> Path:
    return library.root or Path()


def _misplaced(document: Document) -> list[Problem]:
    """What a file is that is no schedule of a monitor."""
    data: dict[str, Any] = document.data
    if "create_job" in data:
        return [document.problem(("create_job",), "is a schedule of a job", "only schedules of monitors are imported")]
    if "action" in (data.get("properties") or {}):
        hint = "az ml schedule show -n NAME -o yaml gives the shape that is read here"
        return [document.problem(("properties",), "is the shape of Azure's resource manager", hint)]
    return []


def _moved(value: Any, source: Path, target: Path) -> Any:
    """With relative paths that mean the same from the folder of the new file."""
    if isinstance(value, list):
        return [_moved(each, source, target) for each in value]
    if not isinstance(value, dict):
        return value
    moved = {name: _moved(each, source, target) for name, each in value.items()}
    path = moved.get("path")
    if isinstance(path, str) and is_relative(path):
        moved["path"] = os.path.relpath(source / path, target)
    return moved


def _kept(found: Sequence[Imported], folder: Path, *, force: bool) -> list[Imported]:
    """Written to the folder, each under its monitor's name; what is in the way is a problem."""
    kept: list[Imported] = []
    written: dict[str, str] = {}
    for each in found:
        path = folder / f"{each.name}.yaml"
        if each.text is None or each.name is None:
            kept.append(each)
            continue
        if each.name in written:
            problem = Problem(each.source, "name", f"the monitor {each.name!r} is in {written[each.name]} already")
            kept.append(Imported(each.source, each.name, None, each.lines, problems=[problem]))
            continue
        if path.exists() and not force:
            problem = Problem(str(path), "", "is there already", "--force overwrites it")
            kept.append(Imported(each.source, each.name, None, each.lines, problems=[problem]))
            continue
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(each.text, encoding="utf-8")
        written[each.name] = each.source
        kept.append(each)
    return kept


# ------------------------------------------------------------------------------------------------- what is printed


def _show(found: Sequence[Imported], folder: Path | None, library: Library) -> None:
    """The report; where nothing is written, the files on stdout and the report beside them."""
    report = out() if folder else err()
    for number, each in enumerate(found):
        if number:
            report.print()
        report.print(_headline(each, folder))
        if each.lines:
            report.print()
            report.print(report_table(each.lines))
        if each.text is not None and not folder:
            out().file.write(("---\n" if number else "") + each.text)
    needs = reduce(or_, (each.needs for each in found))
    for file, text in needs.snippets().items():
        report.print(f"\nmissing in {os.path.relpath(_root(library) / file)}:\n", style="yellow", soft_wrap=True)
        report.print(Text(text.rstrip("\n")), soft_wrap=True)
    problems = [problem for each in found for problem in each.problems]
    if problems:
        report.print()
        show_problems(report, problems)


def _headline(each: Imported, folder: Path | None) -> Text:
    if each.text is None:
        return Text.assemble((each.source, "bold"), " · ", ("not imported", "bold red"))
    where = f" → {folder / f'{each.name}.yaml'}" if folder else ""
    dropped = sum(line.understood == LEFT_OUT for line in each.lines)
    differing = sum(bool(line.azure) for line in each.lines)
    counted = f" · {plural(sum(line.number is not None for line in each.lines), 'key')}"
    counted += f", {dropped} left out" if dropped else ""
    counted += f", {differing} of which Azure makes something else" if differing else ""
    return Text.assemble((each.source, "bold"), " · ", ("✓ ", "bold green"), each.name or "", where, (counted, "dim"))


def _document(each: Imported) -> dict[str, Any]:
    return {
        "source": each.source,
        "monitor": each.name,
        "yaml": each.text,
        "lines": [
            {"line": line.number, "key": [*line.key], "understood": line.understood, "azure": line.azure or None}
            for line in each.lines
        ],
        "missing": each.needs.snippets(),
        "problems": [str(problem) for problem in each.problems],
    }
