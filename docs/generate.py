"""Writes what is said about driftline from what driftline is: `make docs`.

One module per page, each with a function `page()`; a test compares every file with its page.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs as a file, too

from docs import azure_page, metrics_page, reliability_page, server_page, tables_page, yaml_page  # noqa: E402
from engine.definitions import json_schema  # noqa: E402

__all__ = ["PAGES", "main"]


def _schema() -> str:
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "conf/schema.json": _schema,
    "docs/azure.md": azure_page.page,
    "docs/metrics.md": metrics_page.page,
    "docs/reliability.md": reliability_page.page,
    "docs/server.md": server_page.page,
    "docs/tables.md": tables_page.page,
    "docs/yaml.md": yaml_page.page,
}
"""Every generated file, from the root of the repository, with what it says."""


def main() -> None:
    """Write all pages."""
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
