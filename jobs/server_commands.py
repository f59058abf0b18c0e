"""The commands of a server: what it watches (`apply`, `export`), that it runs (`serve`), how it does (`doctor`)."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.exits import ending
from jobs.options import Form, Paths, RunFormat, ServedDatabase, ServedStore, ServerSettings, Verbose
from jobs.registries import DEFAULT_DATABASE, DatabaseUrl, SpaceName

__all__ = ["server"]

server = typer.Typer()


@server.command(epilog="Example: driftline apply conf/")
@ending
def apply(
    paths: Paths,
    *,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what the files do not have.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> int:
    """Make the registry say what monitor files say: shows what would change, asks, and changes it."""
    from jobs.apply import apply_files

    return apply_files(paths, database, space, prune=prune, yes=yes)


@server.command(epilog="Example: driftline export conf/")
@ending
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files are written.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> int:
    """Write the registry's definitions as files: monitors/, models/ and assets.yaml."""
    from jobs.apply import export_files

    return export_files(folder, database, space, force=force)


@server.command(epilog="Example: driftline serve --conf conf/")
@ending
def serve(
    *,
    settings: ServerSettings = None,
    conf_folder: Annotated[
        list[Path] | None, typer.Option("--conf", metavar="PATH", help="Monitors that are applied at the start.")
    ] = None,
    database: ServedDatabase = None,
    store: ServedStore = None,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> int:
    """Evaluate what is due, when it is due, until somebody says stop (SIGTERM): then runs finish or are handed over.

    Several servers may share a registry in PostgreSQL; every run is evaluated by one of them.
    """
    from jobs.serve import serve as serve_until_stopped
    from server.settings import read_settings

    read = read_settings(settings, {"database": database, "store": store})
    return serve_until_stopped(read, conf_folder or (), space)


@server.command(epilog="Example: driftline doctor --settings server.yaml --spark")
@ending
def doctor(
    *,
    settings: ServerSettings = None,
    database: ServedDatabase = None,
    store: ServedStore = None,
    spark: Annotated[bool, typer.Option("--spark", help="Start Spark, too: it takes seconds.")] = False,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> int:
    """Look whether everything that a server needs is in order: Java, the store, the registry, clocks, disks, mail.

    Each line says how something is, and what to do where it is not well. Nothing is changed, and no mail is sent.
    """
    from jobs.doctor import examine

    return examine(settings, database, store, spark=spark, as_json=form is RunFormat.JSON)
