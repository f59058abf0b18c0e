"""What commands can be told: the options that several of them share, each said once."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jobs.registries import without_password
from jobs.stores import VARIABLE
from jobs.times import parse_time

__all__ = [
    "EXIT_CODES",
    "At",
    "Budget",
    "By",
    "Conf",
    "Count",
    "FailOnBreach",
    "Feature",
    "Form",
    "From",
    "Keep",
    "Limit",
    "ListForm",
    "ListFormat",
    "Master",
    "Metric",
    "MonitorFiles",
    "Paths",
    "Refresh",
    "Remote",
    "RunFormat",
    "ServedDatabase",
    "ServedStore",
    "ServerSettings",
    "SetThreshold",
    "Since",
    "Starting",
    "StoreUri",
    "To",
    "Until",
    "Verbose",
    "one_of",
]  # fmt: skip

EXIT_CODES = (
    "Exit codes: 0 done, 1 it cannot start, or a bug, 2 a definition or the command line is wrong, 3 data cannot be "
    "read, 4 the store cannot be used, 5 the registry cannot, 10 a breach with --fail-on-breach or a kept profile "
    "that differs, 130 interrupted."
)
FILES = "Monitor files, or folders of them."


class RunFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


class ListFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", show_default=False, help=FILES)]
MonitorFiles = Annotated[list[Path], typer.Option("--monitor", metavar="PATH", help=FILES + " May be repeated.")]
StoreUri = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URI",
        envvar=VARIABLE,
        help="Where results are kept: a folder, or a URI such as s3://bucket/driftline.",
    ),
]
Form = Annotated[RunFormat, typer.Option("--format", help="A table for people, JSON for machines.")]
ListForm = Annotated[ListFormat, typer.Option("--format", help="A table for people, JSON or CSV for machines.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Let Spark talk; show where a bug is.")]

# ---------------------------------------------------------------------------------------------------------- when

At = Annotated[
    datetime | None,
    typer.Option("--at", parser=parse_time, metavar="TIME", help="Scheduled time, ISO-8601; without a zone it is UTC."),
]
From = Annotated[datetime, typer.Option("--from", parser=parse_time, metavar="TIME", help="First time, included.")]
To = Annotated[datetime, typer.Option("--to", parser=parse_time, metavar="TIME", help="Last time, excluded.")]
Since = Annotated[
    datetime | None, typer.Option("--from", parser=parse_time, metavar="TIME", help="Scheduled at that time or later.")
]
Starting = Annotated[
    datetime | None, typer.Option("--from", parser=parse_time, metavar="TIME", help="Due at that time or later; now.")
]
Until = Annotated[
    datetime | None, typer.Option("--to", parser=parse_time, metavar="TIME", help="Scheduled before that time.")
]

# ---------------------------------------------------------------------------------------------------------- what

Feature = Annotated[
    str | None, typer.Option("--feature", "--group", metavar="NAME", help="Only this feature, or other group.")
]
Metric = Annotated[str | None, typer.Option("--metric", metavar="NAME", help="Only this metric.")]
SetThreshold = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="METRIC=NUMBER",
        help="Another threshold: psi=0.2, mean=3..8 (a range), auc=null (not judged). Of one signal SIGNAL.METRIC=…, "
        "of one feature FEATURE/METRIC=…, which wins. May be repeated.",
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget", metavar="N/PERIOD", help="Propose thresholds for so many messages per day, week, month or year."
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="COLUMNS", help="Which values of these columns carried it; `origin,carrier`."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="How many rows, newest first; a table has 50 if nothing is said.")
]
Count = Annotated[int, typer.Option("-n", "--count", min=1, max=10_000, help="How many scheduled times.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Read again what is kept of the data.")]
Keep = Annotated[
    str,
    typer.Option(
        "--keep", metavar="DURATION", envvar="DRIFTLINE_KEEP_PROFILES", help="How old a bucket may become, ISO-8601."
    ),
]
ServerSettings = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="A server.yaml: how mail is sent, where runs go, ...")
]
ServedDatabase = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="DRIFTLINE_DATABASE",
        callback=without_password,
        help="The registry.",
    ),
]
ServedStore = Annotated[
    str | None, typer.Option("--store", metavar="URI", envvar="DRIFTLINE_STORE", help="Where results are kept.")
]
FailOnBreach = Annotated[bool, typer.Option("--fail-on-breach", help="Exit 10 where a check breached.")]

# --------------------------------------------------------------------------------------------------------- Spark

Master = Annotated[str, typer.Option("--master", metavar="URL", help="Spark's master.")]
Remote = Annotated[
    str | None, typer.Option("--remote", metavar="URL", help="A Spark Connect server (sc://host:port), and no master.")
]
Conf = Annotated[
    list[str] | None, typer.Option("--conf", metavar="KEY=VALUE", help="A setting of Spark's. May be repeated.")
]


def one_of(word: str | None, words: type[StrEnum]) -> None:
    """Refuse a word that is none of these; None is no word.

    For words that only the server's packages know, which no command loads before it is called.
    """
    if word is not None and word not in [*words]:
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(words)}")
