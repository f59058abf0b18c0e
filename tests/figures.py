"""What tests of reliability measured, for `docs/reliability.md`: kept where `DRIFTLINE_FIGURES` says, else nowhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

__all__ = ["KINDS", "figure"]

KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
"""What databases are called, by SQLAlchemy and by everybody else."""


def figure(happened: str, seen: str) -> None:
    """Keep a line of the page's table.

    Args:
        happened: what was done to driftline.
        seen: what came of it, in figures that the test has counted.
    """
    path = os.environ.get("DRIFTLINE_FIGURES")
    if path:
        test = os.environ["PYTEST_CURRENT_TEST"].rsplit(" ", 1)[0]
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"happened": happened, "seen": seen, "test": test}, ensure_ascii=False) + "\n")
