"""Makes docs/images: what the commands really print about the flights sample, as SVG, and the mail that it leads to.

python docs/pictures.py [NAME ...]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from docs.mail_picture import draw_mail, mail_of  # noqa: E402 - it is found from the repository's root

IMAGES = ROOT / "docs" / "images"
MONITOR = "conf/monitors/flights.yaml"
AT = "2013-07-02T03:15Z"

# A picture loads nothing from elsewhere: the reader's own monospaced font will do.
SVG = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)

SPACE, CELL = "&#160;", 12.2
LEADING_SPACES = re.compile(
    rf'x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<length>[\d.]+)"(?P<rest>[^>]*)>(?P<spaces>({SPACE})+)'
)

# The first one gives the run a past, so that "since" has something to say.
BEFORE = f"driftline backfill {MONITOR} --from 2013-06-01 --to 2013-07-02"
PICTURES = {
    "run": (f"driftline run {MONITOR} --at {AT}", 108),
    "explain": (f"driftline explain flights --at {AT} --feature score", 108),
    "backfill": (f"driftline backfill {MONITOR} --from 2013-06-01 --to 2013-09-01", 128),
    "carried_by": (f"driftline explain {MONITOR} --at {AT} --feature precipitation --by hour", 108),
    "credit": ("driftline run conf/monitors/credit.yaml --at 2024-05-24T03:15Z", 108),
    "replay": ("driftline replay flights --set temperature/normalized_wasserstein_distance=4", 108),
}

MAIL = "mail"


def main() -> None:
    """Run the commands on a store of their own, and draw what they print; those that are named, or all."""
    asked = sys.argv[1:] or [*PICTURES, MAIL]
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        printed(BEFORE, 100, folder)
        if MAIL in asked:  # first: what was evaluated before is told only where it differs
            command = PICTURES["run"][0]
            mail = mail_of(lambda more: printed(f"{command} {more}", 100, folder), Path(folder))
            draw_mail(mail, IMAGES / f"{MAIL}.png", Path(folder))
        for name in [name for name in PICTURES if name in asked]:
            command, width = PICTURES[name]
            draw(name, command, printed(command, width, folder), width)


def printed(command: str, width: int, folder: str) -> str:
    """What a command prints on a terminal of that width."""
    terminal = {"FORCE_COLOR": "1", "COLUMNS": str(width), "DRIFTLINE_STORE": str(Path(folder, "store"))}
    words = [sys.executable, "-m", "jobs.cli", *command.split()[1:]]
    done = subprocess.run(words, cwd=ROOT, env=os.environ | terminal, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stderr}")
    return done.stdout.replace(str(Path(folder, "store")), ".driftline/store")


def draw(name: str, command: str, text: str, width: int) -> None:
    """Write one picture."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"\x1b[2m$\x1b[0m \x1b[1m{command}\x1b[0m\n{text.rstrip()}"))
    path = IMAGES / f"{name}.svg"
    svg = console.export_svg(title="driftline", theme=MONOKAI, code_format=SVG, unique_id=name)
    path.write_text(LEADING_SPACES.sub(start_later, svg))
    print(path.relative_to(ROOT))


def start_later(text: re.Match[str]) -> str:
    """A text without the spaces it begins with, which not every viewer draws, and as much further to the right."""
    spaces = text["spaces"].count(SPACE)
    x, length = float(text["x"]) + CELL * spaces, float(text["length"]) - CELL * spaces
    return f'x="{x:g}" y="{text["y"]}" textLength="{length:g}"{text["rest"]}>' if length > 0 else text[0]


if __name__ == "__main__":
    main()
