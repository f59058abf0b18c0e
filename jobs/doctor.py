"""`driftline doctor`: is everything that a server needs in order, and what is to be done where it is not?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from rich.text import Text

from engine.wording import plural
from jobs.checkup import Finding, looked
from jobs.consoles import out, working

__all__ = ["examine"]

WIDE = 22


def examine(settings: Path | None, database: str | None, store: str | None, *, spark: bool, as_json: bool) -> int:
    """Look at everything; the exit code of the worst finding: the machine's before the server's."""
    from jobs.machine_checkups import machine_checkups
    from jobs.server_checkups import server_checkups
    from server.settings import read_settings

    keys = read_settings(settings, {"database": database, "store": store})
    findings: list[Finding] = []
    with working(silent=as_json) as progress:
        for checkup in chain(machine_checkups(keys, spark=spark), server_checkups(keys)):
            if checkup.name == "spark":
                progress("starting Spark")
            findings.append(looked(checkup))
    if as_json:
        out().file.write(json.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=2) + "\n")
    else:
        _show(findings)
    return min((each.exit_code for each in findings if not each.well), default=0)


def _show(findings: Sequence[Finding]) -> None:
    console = out()
    for each in findings:
        sign = ("✓ ", "bold green") if each.well else ("✗ ", "bold red")
        first, *more = each.said.splitlines() or [""]
        console.print(Text.assemble(sign, (f"{each.name:{WIDE}}", "bold"), first), soft_wrap=True)
        for line in (*more, each.hint) if each.hint else more:
            style = "green" if line is each.hint else ""
            console.print(Text(f"{'':{WIDE + 2}}{line}", style), soft_wrap=True)
    wrong = sum(not each.well for each in findings)
    console.print(f"\n{plural(wrong, 'thing')} to be put right" if wrong else "\nall is well", style="bold")
