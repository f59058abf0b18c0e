"""The commands of `driftline import`: from where definitions can be brought, and in which words."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.exits import ending
from jobs.options import Form, RunFormat, Verbose

__all__ = ["imports"]

imports = typer.Typer(no_args_is_help=True)


@imports.callback()
def _from_elsewhere() -> None:  # pyright: ignore[reportUnusedFunction] - with it, a single command keeps its name
    """Bring definitions from elsewhere: schedules of Azure Machine Learning."""


@imports.command(epilog="Example: driftline import azure out-of-box-monitoring.yaml --out conf/monitors")
@ending
def azure(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", show_default=False, help="Schedules, YAML or JSON.")
    ],
    *,
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the files there; printed if nothing is said.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> int:
    """Turn Azure's schedules into tidy files, and say line by line what was understood.

    A file is taken as `az ml schedule create -f` takes it, or as the SDK dumps it. Each line is told with what Azure
    would have done differently; names that stand for nothing yet come with what to paste into assets.yaml or models/.
    Where something is wrong, it is told, and nothing of that file is written: then the exit code is 2.
    """
    from jobs.import_azure import import_schedules

    return import_schedules(files, folder, force=force, as_json=form is RunFormat.JSON)
