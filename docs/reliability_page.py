"""What `docs/reliability.md` says: what was done to driftline, and what came of it, as the tests have counted it."""

import json
from pathlib import Path

__all__ = ["page"]

GUIDE = Path(__file__).with_name("reliability.in.md")
"""The page as it is written by hand, with a mark where the table belongs."""
FIGURES = Path(__file__).with_name("reliability.jsonl")
"""What `benchmarks/reliability.py` has kept of a run of the tests."""


def page() -> str:
    """The page, in Markdown."""
    rows = [json.loads(line) for line in FIGURES.read_text(encoding="utf-8").splitlines()]
    lines = [f"| {row['happened']} | {row['seen']} | {_test(row['test'])} |" for row in rows]
    # Some are shown in several ways that come to the same.
    table = ["| what happens | what was seen | shown by |", "|---|---|---|", *dict.fromkeys(lines)]
    return GUIDE.read_text(encoding="utf-8").replace("<!-- FIGURES -->", "\n".join(table))


def _test(name: str) -> str:
    path, _, _ = name.partition("::")
    return f"[{Path(path).stem}](../{path})"
