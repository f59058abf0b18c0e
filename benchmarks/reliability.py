"""What does driftline lose, or do twice, when everything around it fails? The tests that show it, with their figures.

python benchmarks/reliability.py      runs them, and writes docs/reliability.jsonl; then `make docs`
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIGURES = ROOT / "docs" / "reliability.jsonl"


def main() -> int:
    """The exit code of the tests; the figures are those of a run in which all of them passed."""
    kept = FIGURES.with_suffix(".new")
    kept.unlink(missing_ok=True)
    environment = {**os.environ, "DRIFTLINE_FIGURES": str(kept), "DRIFTLINE_SIMULATED_DAYS": "30"}
    words = [sys.executable, "-m", "pytest", "-q", "-m", "reliability", *sys.argv[1:]]
    code = subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode
    if code == 0:
        kept.replace(FIGURES)
    return code


if __name__ == "__main__":
    sys.exit(main())
