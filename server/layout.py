"""A message laid out: as text, and as a page for mail readers, on a telephone, by day and by night."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from server.lines import Line

__all__ = ["Layout", "html_of", "text_of"]

Parts = Sequence[tuple[str, Sequence[Line]]]


@dataclass(frozen=True)
class Layout:
    """What is laid out.

    Attributes:
        intro: which monitor, when, of which data.
        parts: headings, each with its checks.
        alt: what the picture shows; empty: there is no picture.
        link: where more is to be seen.
        command: what shows more in a terminal.
    """

    intro: str
    parts: Parts
    alt: str = ""
    link: str | None = None
    command: str | None = None


def text_of(layout: Layout) -> str:
    """Lines of text; the last paragraph says where there is more."""
    lines = [layout.intro]
    for heading, own in layout.parts:
        lines += ["", heading]
        for each in own:
            what = " · ".join(part for part in (each.name, each.how) if part)
            lines.append(f"• {what}{':' if each.value else ''} {each.value}".rstrip())
            lines += [f"    {fact}" for fact in each.facts]
    more = [each for each in (layout.link, layout.command) if each]
    return "\n".join([*lines, *([""] if more else []), *more]) + "\n"


# The colours in `style` are readable on white and on black; readers that know no style sheets leave out the rest.
STYLE = """
:root { color-scheme: light dark; }
body { font-family: -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; font-size: 15px; line-height: 1.4;
  margin: 0; padding: 16px; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e4e7eb; } }
"""
CHECK = "border-top:1px solid #9aa5b1;padding:8px 0"
MUTED = "color:#6f7c8a;font-size:13px"
VALUES = {"Recovered": "#2f9e5f"}
BAD = "#d64545"


def html_of(layout: Layout) -> str:
    """A page of one column, at most as wide as its picture."""
    body = [f'<p style="margin:0 0 12px">{escape(layout.intro)}</p>']
    if layout.alt:
        look = "display:block;width:100%;max-width:600px;height:auto;border-radius:6px"
        body.append(f'<img src="cid:picture" width="600" style="{look}" alt="{escape(layout.alt, quote=True)}">')
    for heading, own in layout.parts:
        colour = VALUES.get(heading.partition(" (")[0], BAD)
        body.append(f'<h3 style="margin:20px 0 6px;font-size:16px">{escape(heading)}</h3>')
        body += [_check(each, colour) for each in own]
    body += [f'<p style="margin:20px 0 0">{each}</p>' for each in _more(layout)]
    head = f'<meta charset="utf-8"><meta name="color-scheme" content="light dark"><style>{STYLE}</style>'
    wide = "max-width:600px;overflow-wrap:anywhere"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta name="viewport" content="width=device-width">{head}</head>'
        f'<body><div style="{wide}">{"".join(body)}</div></body></html>'
    )


def _check(line: Line, colour: str) -> str:
    how = f' <span style="{MUTED}">{escape(line.how)}</span>' if line.how else ""
    value = f'<div style="color:{colour}"><b>{escape(line.value)}</b></div>' if line.value else ""
    facts = f'<div style="{MUTED}">{"<br>".join(map(escape, line.facts))}</div>' if line.facts else ""
    return f'<div style="{CHECK}"><div><b>{escape(line.name)}</b>{how}</div>{value}{facts}</div>'


def _more(layout: Layout) -> list[str]:
    found: list[str] = []
    if layout.link:
        found.append(f'<a href="{escape(layout.link, quote=True)}">See more</a>')
    if layout.command:
        found.append(f'<span style="{MUTED}">In a terminal:</span> <code>{escape(layout.command)}</code>')
    return found
